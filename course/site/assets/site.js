// The site's own script. It is no module, so that it runs on a page that is opened as a file.
(() => {
  const root = document.documentElement;
  const remember = (theme) => {
    try {
      localStorage.setItem('handwired-theme', theme);
    } catch {
      // Kept for this page only.
    }
  };

  /** A switch between light and dark; before it is used, the system's choice holds. */
  const button = document.querySelector('.theme');
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const current = () => root.dataset.theme || (dark.matches ? 'dark' : 'light');
  const label = () => {
    button.textContent = current() === 'dark' ? 'Light' : 'Dark';
    button.setAttribute('aria-label', `Use the ${current() === 'dark' ? 'light' : 'dark'} colours`);
  };
  button.hidden = false;
  button.addEventListener('click', () => {
    root.dataset.theme = current() === 'dark' ? 'light' : 'dark';
    remember(root.dataset.theme);
    label();
  });
  dark.addEventListener('change', label);
  label();

  /** On a narrow screen the list of chapters is folded. */
  const chapters = document.querySelector('.chapters details');
  if (chapters && matchMedia('(max-width: 60rem)').matches) chapters.open = false;

  /** A button at each block that is to be typed. */
  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = Object.assign(document.createElement('textarea'), { value: text });
      document.body.append(area);
      area.select();
      document.execCommand('copy');
      area.remove();
    }
  };
  for (const block of document.querySelectorAll('.typed')) {
    const copy = Object.assign(document.createElement('button'), {
      type: 'button',
      className: 'copy',
      textContent: 'Copy',
    });
    copy.setAttribute('aria-label', `Copy: ${block.querySelector('code').textContent.split('\n')[0]}`);
    copy.addEventListener('click', async () => {
      await copied(`${block.querySelector('code').textContent}\n`);
      copy.textContent = 'Copied';
      setTimeout(() => (copy.textContent = 'Copy'), 1500);
    });
    block.querySelector('.bar').append(copy);
  }

  /** Only what scrolls needs to be reached by the keyboard. */
  const scrolling = [...document.querySelectorAll('.wide, main pre')];
  const reach = () => {
    for (const element of scrolling) {
      if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
      else element.removeAttribute('tabindex');
    }
  };
  reach();
  addEventListener('resize', reach);

  const print = document.querySelector('.print');
  if (print) {
    print.hidden = false;
    print.addEventListener('click', () => window.print());
  }

  /** Search over all chapters. */
  const form = document.querySelector('.search');
  const { MiniSearch, handwiredSearch } = window;
  if (!form || !MiniSearch || !handwiredSearch) return;
  const input = form.querySelector('input');
  const found = form.querySelector('.found');
  let search;
  const results = (words) => {
    search ??= MiniSearch.loadJSON(handwiredSearch.index, handwiredSearch.options);
    const boostDocument = (_id, _term, { weight }) => weight;
    const how = { prefix: true, fuzzy: 0.15, boost: { title: 3 }, combineWith: 'AND', boostDocument };
    return search.search(words, how).slice(0, 8);
  };
  const show = () => {
    const words = input.value.trim();
    found.replaceChildren();
    found.hidden = words === '';
    if (words === '') return;
    const hits = results(words);
    if (hits.length === 0)
      found.append(Object.assign(document.createElement('p'), { textContent: 'Nothing is called so.' }));
    const list = document.createElement('ul');
    for (const { id, title, page } of hits) {
      const link = Object.assign(document.createElement('a'), { href: id, textContent: title });
      link.append(Object.assign(document.createElement('span'), { textContent: page }));
      const item = document.createElement('li');
      item.append(link);
      list.append(item);
    }
    if (hits.length > 0) found.append(list);
  };
  const close = () => {
    found.hidden = true;
  };
  form.hidden = false;
  input.addEventListener('input', show);
  input.addEventListener('focus', show);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    found.querySelector('a')?.click();
  });
  found.addEventListener('click', (event) => event.target.closest('a') && close());
  form.addEventListener('keydown', (event) => {
    const links = [input, ...found.querySelectorAll('a')];
    const at = links.indexOf(document.activeElement);
    if (event.key === 'Escape') {
      close();
      input.focus();
      close();
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      links[Math.max(0, Math.min(links.length - 1, at + (event.key === 'ArrowDown' ? 1 : -1)))].focus();
    }
  });
  form.addEventListener('focusout', ({ relatedTarget }) => relatedTarget && !form.contains(relatedTarget) && close());
  document.addEventListener('click', ({ target }) => !form.contains(target) && close());
  document.addEventListener('keydown', (event) => {
    const typing = event.target.closest('input, textarea, select, [contenteditable]');
    if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      input.focus();
    }
  });
})();
