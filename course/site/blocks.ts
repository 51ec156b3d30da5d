import { picture, pictureTitle } from '../diagrams/pictures.ts';
import { xml } from '../diagrams/svg.ts';
import type { Plan } from '@handwired/host';
import type { Block, CommandBlock, GuideStep, Inline, Section } from '../guide/guide.ts';
import { plainText } from '../guide/guide.ts';
import { anyLines, anyText } from '../guide/see.ts';

/** A page that is being made. */
interface Page {
  plan: Plan;
  /** An id that no other element of the page has, from a text. */
  idOf: (text: string) => string;
}

/** Begins a page. Its ids are made from headings, as links have them: `#why-br0`. */
export function startPage(plan: Plan): Page {
  const used = new Set<string>();
  return {
    plan,
    idOf: (text) => {
      const base =
        text
          .toLowerCase()
          .replaceAll(/[^a-z0-9]+/g, '-')
          .replaceAll(/^-|-$/g, '')
          .slice(0, 60) || 'part';
      let id = base;
      for (let n = 2; used.has(id); n += 1) id = `${base}-${n}`;
      used.add(id);
      return id;
    },
  };
}

/** A heading that can be linked to. */
export interface Part {
  id: string;
  title: string;
  level: 2 | 3;
}

/** A piece of a page, and the headings in it. */
interface PageHtml {
  html: string;
  parts: Part[];
}

/** A section with its heading; its steps have headings of their own. */
export function sectionHtml(section: Section, page: Page): PageHtml {
  const id = page.idOf(section.title);
  const made = section.blocks.map((block) => blockHtml(block, page));
  const body = made.map(({ html }) => html).join('\n');
  return {
    html: `<section class="part ${section.id}" aria-labelledby="${id}">\n<h2 id="${id}">${anchor(id, xml(section.title))}</h2>\n${body}\n</section>`,
    parts: [{ id, title: section.title, level: 2 }, ...made.flatMap(({ parts }) => parts)],
  };
}

const anchor = (id: string, inner: string): string => `<a href="#${id}">${inner}</a>`;
const only = (html: string): PageHtml => ({ html, parts: [] });
const join = (made: readonly PageHtml[], between = '\n'): PageHtml => ({
  html: made.map(({ html }) => html).join(between),
  parts: made.flatMap(({ parts }) => parts),
});

function blockHtml(block: Block, page: Page): PageHtml {
  switch (block.kind) {
    case 'text':
      return only(`<p>${inlineHtml(block.inlines)}</p>`);
    case 'heading':
      return headingHtml(plainText(block.inlines), inlineHtml(block.inlines), page);
    case 'list':
      return listHtml(block, page);
    case 'table':
      return only(tableHtml(block));
    case 'quote': {
      const inside = join(block.blocks.map((one) => blockHtml(one, page)));
      return { ...inside, html: `<blockquote>${inside.html}</blockquote>` };
    }
    case 'code':
      return only(`<pre class="shown" tabindex="0"><code>${xml(block.text)}</code></pre>`);
    case 'command':
      return only(commandHtml(block));
    case 'step':
      return stepHtml(block, page);
    case 'picture':
      return only(pictureHtml(block.name, page));
    case 'docker':
      return only(dockerHtml(block.steps));
  }
}

/** Text inside a line. */
export function inlineHtml(inlines: readonly Inline[]): string {
  return inlines
    .map((inline) => {
      switch (inline.kind) {
        case 'text':
          return xml(inline.text);
        case 'code':
          return `<code>${xml(inline.text)}</code>`;
        case 'strong':
          return `<strong>${inlineHtml(inline.inlines)}</strong>`;
        case 'emphasis':
          return `<em>${inlineHtml(inline.inlines)}</em>`;
        case 'link':
          return `<a href="${xml(inline.href)}">${inlineHtml(inline.inlines)}</a>`;
        case 'break':
          return '<br>';
      }
    })
    .join('');
}

function headingHtml(title: string, inner: string, page: Page): PageHtml {
  const id = page.idOf(title);
  return { html: `<h3 id="${id}">${anchor(id, inner)}</h3>`, parts: [{ id, title, level: 3 }] };
}

/** Items of one paragraph each stand close together. */
function listHtml({ ordered, start, items }: Extract<Block, { kind: 'list' }>, page: Page): PageHtml {
  const made = items.map((blocks): PageHtml => {
    const [first] = blocks;
    if (blocks.length === 1 && first?.kind === 'text') return only(`<li>${inlineHtml(first.inlines)}</li>`);
    const inside = join(blocks.map((one) => blockHtml(one, page)));
    return { ...inside, html: `<li>${inside.html}</li>` };
  });
  const inside = join(made);
  const open = ordered ? `<ol${start === 1 ? '' : ` start="${start}"`}>` : '<ul>';
  return { ...inside, html: `${open}\n${inside.html}\n</${ordered ? 'ol' : 'ul'}>` };
}

function tableHtml({ head, rows }: Extract<Block, { kind: 'table' }>): string {
  const cells = (row: readonly (readonly Inline[])[], tag: string): string =>
    row.map((cell) => `<${tag}>${inlineHtml(cell)}</${tag.split(' ')[0] ?? ''}>`).join('');
  const body = rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('\n');
  return `<div class="wide" tabindex="0" role="region" aria-label="Table: ${xml(head.map(plainText).join(', '))}"><table>\n<thead><tr>${cells(head, 'th scope="col"')}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table></div>`;
}

const places = { 'lab host': 'on the lab host', 'own machine': 'on your own machine' } as const;

function commandHtml({ where, text, ends, see, quiet }: CommandBlock): string {
  const fails = ends === 'fails' ? ' <span class="fails">it will fail</span>' : '';
  // A command on the lab host without a see fence prints nothing, unless it is quiet. Of `lab` nothing is shown then.
  const seen = see ?? (where === 'lab host' && !quiet ? '' : undefined);
  return typedHtml(`type ${places[where]}${fails}`, text, where) + seeHtml(seen);
}

/** Commands with a label that says where to type them. `label` is HTML. */
export const typedHtml = (label: string, text: string, where: CommandBlock['where']): string =>
  `<div class="typed ${where === 'lab host' ? 'inside' : 'outside'}"><p class="bar">${label}</p><pre><code>${linesHtml(text)}</code></pre></div>`;

/** Each command in an element of its own: a long one is folded, and the lines after its first are indented. */
const linesHtml = (text: string): string =>
  text
    .split('\n')
    .map((line, at, all) => `<span class="line">${xml(line)}${at < all.length - 1 ? '\n' : ''}</span>`)
    .join('');

function seeHtml(see: string | undefined): string {
  if (see === undefined) return '';
  if (see.trim() === '') return '\n<p class="seen nothing">it prints nothing</p>';
  const lines = see.split('\n').map((line) => {
    if (line.trim() === anyLines) return wildcard(anyLines);
    return xml(line).replaceAll(anyText, wildcard(anyText));
  });
  return `\n<div class="seen"><p class="bar">you should see</p><pre tabindex="0"><samp>${lines.join('\n')}</samp></pre></div>`;
}

/** A wildcard of an output. */
export const wildcard = (sign: string): string => `<span class="any">${sign}</span>`;

function stepHtml({ step, see }: Extract<Block, { kind: 'step' }>, page: Page): PageHtml {
  const heading = headingHtml(step.title, xml(step.title), page);
  const body = [
    `<p>${marked(step.why)}</p>`,
    typedHtml('type on the lab host', step.commands.join('\n'), 'lab host') + seeHtml(see),
  ];
  return { ...heading, html: `<div class="step">${[heading.html, ...body].join('\n')}</div>` };
}

/** A text of chapter.ts: code stands in backquotes, and there is no other markup. */
const marked = (text: string): string => xml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

/** A picture with its caption. */
export function pictureHtml(name: string, { plan, idOf }: Page): string {
  const title = pictureTitle(name, plan);
  const svg = picture(name, plan, 'svg', { id: idOf(`picture ${name}`) });
  return `<figure class="picture"><div class="wide" tabindex="0" role="region" aria-label="Picture: ${xml(title)}">${svg}</div><figcaption>${xml(title)}</figcaption></figure>`;
}

const dockerHtml = (steps: readonly Pick<GuideStep, 'title' | 'docker'>[]): string =>
  `<dl class="docker">\n${steps
    .map(
      ({ title, docker }) =>
        `<div><dt>${marked(title)}</dt><dd>${marked(docker.does)}</dd><dd class="source"><code>${xml(docker.source)}</code></dd></div>`,
    )
    .join('\n')}\n</dl>`;
