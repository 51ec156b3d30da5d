import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { defaultPlan, run } from '@handwired/host';
import { makeSite, writeSite } from '@handwired/labs';
import { type Page, withBrowser } from './browser.ts';

/** The site as a learner opens it: files in a folder. */
let folder: string;
let pages: string[];
before(async () => {
  const cwd = resolve(import.meta.dirname, '../..');
  await run([process.execPath, '--import', './cli/loader.mjs', 'scripts/packages.ts', 'test'], {
    cwd,
    timeoutMs: 600_000,
  });
  folder = await mkdtemp(join(tmpdir(), 'handwired-test-'));
  const files = await makeSite({ plan: defaultPlan, lab: 'lab', subtitle: 'With the values of the default plan.' });
  await writeSite(folder, files);
  pages = [...files.keys()].filter((name) => name.endsWith('.html'));
});
after(() => rm(folder, { recursive: true, force: true }));

const urlOf = (name: string): string => pathToFileURL(join(folder, name)).href;

interface Look {
  scheme: 'light' | 'dark';
  width: number;
  media?: 'screen' | 'print';
}

async function look(page: Page, { scheme, width, media = 'screen' }: Look): Promise<void> {
  await page.send('Emulation.setDeviceMetricsOverride', { width, height: 900, deviceScaleFactor: 1, mobile: false });
  const features = [{ name: 'prefers-color-scheme', value: scheme }];
  await page.send('Emulation.setEmulatedMedia', { media, features });
}

/** What is in a picture has no part in the page's own structure: the picture as a whole has a name. */
const violationsIn = async (page: Page): Promise<string[]> => {
  await page.evaluate(`${axe.source};0`);
  return page.evaluate<string[]>(
    `axe.run({ exclude: [['svg.diagram > *']] }, { preload: false, resultTypes: ['violations'] }).then(({ violations }) =>
       violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(({ html }) => html.slice(0, 200)).join(' ')))`,
  );
};

test('Every page, in light and dark, wide and narrow, has no error, no violation, and fits', async () => {
  await withBrowser('chromium-headless-shell', async (page) => {
    for (const how of [
      { scheme: 'light', width: 1440 },
      { scheme: 'dark', width: 390 },
    ] as const) {
      await look(page, how);
      for (const name of pages) {
        await page.visit(urlOf(name));
        const where = `${name} ${how.scheme} ${how.width}`;
        assert.deepEqual(await violationsIn(page), [], where);
        assert.deepEqual(page.complaints(), [], where);
        const over = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
        assert.ok((await page.evaluate<number>(over)) <= 0, `${where} is wider than its window`);
      }
    }
  });
});

const key = (page: Page, key: string, text?: string): Promise<unknown> =>
  ['keyDown', 'keyUp'].reduce<Promise<unknown>>(
    (before, type) =>
      before.then(() =>
        page.send('Input.dispatchKeyEvent', { type, key, ...(text && type === 'keyDown' ? { text } : {}) }),
      ),
    Promise.resolve(),
  );

test('The search is reached by a key, finds a command as it is typed, and leads to its step', async () => {
  await withBrowser('chromium-headless-shell', async (page) => {
    await page.visit(urlOf('index.html'));
    await key(page, '/', '/');
    assert.equal(await page.evaluate('document.activeElement.id'), 'search');
    await page.send('Input.insertText', { text: 'masquer' });
    const first = await page.evaluate<string>(`document.querySelector('#found a').getAttribute('href')`);
    assert.match(first, /^\d\d-[a-z]+\.html#/);
    await key(page, 'ArrowDown');
    assert.equal(await page.evaluate('document.activeElement.getAttribute("href")'), first);
    assert.deepEqual(await violationsIn(page), []);
    await key(page, 'Escape');
    assert.equal(await page.evaluate('document.querySelector("#found").hidden'), true);
    await page.evaluate(
      `document.querySelector('#search').value = 'zzzz'; document.querySelector('#search').dispatchEvent(new Event('input'))`,
    );
    assert.match(await page.evaluate<string>(`document.querySelector('#found').innerText`), /Nothing/);
    assert.deepEqual(page.complaints(), []);
  });
});

test('The switch changes the colours, and the next page has them too', async () => {
  await withBrowser('chromium-headless-shell', async (page) => {
    await look(page, { scheme: 'light', width: 1000 });
    await page.visit(urlOf('index.html'));
    const ground = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const light = await ground();
    await page.evaluate(`document.querySelector('.theme').click()`);
    const dark = await ground();
    assert.notEqual(dark, light);
    await page.visit(urlOf('summary.html'));
    assert.equal(await ground(), dark);
  });
});

test('A button copies what is typed, to the letter', async () => {
  await withBrowser('chromium-headless-shell', async (page) => {
    await page.visit(urlOf('01-namespaces.html'));
    const copied = await page.evaluate<string>(`(async () => {
      let text;
      navigator.clipboard.writeText = async (given) => { text = given; };
      document.querySelector('.step .copy').click();
      await Promise.resolve();
      return text;
    })()`);
    assert.equal(copied, 'ip netns add ct1\nip netns add ct2\n');
  });
});

test('The card is one sheet of A4, and a chapter is printed without what is only for a screen', async () => {
  await withBrowser('chromium-headless-shell', async (page) => {
    await page.visit(urlOf('card.html'));
    const { data } = await page.send<{ data: string }>('Page.printToPDF', { preferCSSPageSize: true });
    const pdf = Buffer.from(data, 'base64').toString('latin1');
    assert.equal(pdf.match(/\/Type\s*\/Page\b/g)?.length, 1);
    await look(page, { scheme: 'dark', width: 800, media: 'print' });
    await page.visit(urlOf('06-egress.html'));
    for (const hidden of ['.top', '.chapters', '.copy', '.turn']) {
      assert.equal(
        await page.evaluate(`getComputedStyle(document.querySelector('${hidden}')).display`),
        'none',
        hidden,
      );
    }
    assert.deepEqual(await violationsIn(page), []);
  });
});

test('Without scripts a page can be read as a whole, and shows no button that does nothing', async () => {
  await withBrowser('chromium-headless-shell', async (page) => {
    await page.send('Emulation.setScriptExecutionDisabled', { value: true });
    await page.visit(urlOf('02-bridge.html'));
    await page.send('Emulation.setScriptExecutionDisabled', { value: false });
    const buttons = await page.evaluate<number>(
      `[...document.querySelectorAll('button, input')].filter((one) => one.checkVisibility({ visibilityProperty: true })).length`,
    );
    assert.equal(buttons, 0);
    assert.match(await page.evaluate<string>('document.querySelector("main").innerText'), /ip link add/);
  });
});
