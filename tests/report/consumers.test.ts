import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import axe from 'axe-core';
import { renderReport } from '@handwired/checker';
import { run } from '@handwired/host';
import { withBrowser } from './browser.ts';
import { broken, hostile, hostileReport, nothingBegun, reportOf } from './reports.ts';

/** Consumers that are no packages of the registry: infra/packages.list, target test. */
const root = join(import.meta.dirname, '../..');
const options = { color: false, columns: 100 };
const page = (report: Parameters<typeof renderReport>[0]): string => renderReport(report, 'html', options);
let folder: string;
before(async () => {
  await run([process.execPath, '--import', './cli/loader.mjs', 'scripts/packages.ts', 'test'], {
    cwd: root,
    timeoutMs: 600_000,
  });
  folder = await mkdtemp(join(tmpdir(), 'handwired-test-'));
});
after(() => rm(folder, { recursive: true, force: true }));

test('A spreadsheet reads the CSV: a row a check, the texts as they were, and nothing in it is a formula', async () => {
  const report = hostileReport();
  const csv = join(folder, 'report.csv');
  await writeFile(csv, renderReport(report, 'csv', options));
  const formulas = join(folder, 'plain.csv');
  await writeFile(formulas, 'a,b\n=1+1,x\n');
  for (const [from, to] of [
    [csv, 'report.xml'],
    [formulas, 'plain.xml'],
  ] as const) {
    await run(['ssconvert', '--export-type=Gnumeric_XmlIO:sax:0', from, join(folder, to)], { timeoutMs: 60_000 });
  }
  // Only a cell without a type is a formula: text has ValueType 60.
  const cellsOf = async (name: string, type: RegExp): Promise<string[]> =>
    [...(await readFile(join(folder, name), 'utf8')).matchAll(/<gnm:Cell ([^>]*?)(?:\/>|>([^<]*)<)/g)].flatMap(
      ([, attributes = '', text = '']) => (type.test(attributes) ? [text] : []),
    );
  const untyped = /^(?!.*ValueType)/;
  const read = await cellsOf('report.xml', /ValueType="60"/);
  assert.deepEqual(await cellsOf('plain.xml', untyped), ['=1+1'], 'the spreadsheet would know one');
  assert.deepEqual(await cellsOf('report.xml', untyped), []);
  for (const { id } of report.checks) assert.ok(read.includes(id), id);
});

test('A browser shows the page, in light, dark and print, and an accessibility checker finds nothing wrong', async () => {
  await withBrowser('chromium-headless-shell', async (browser) => {
    const pages = {
      seed: reportOf('seed'),
      right: reportOf('right'),
      broken: broken(),
      nothing: nothingBegun(),
      hostile: hostileReport(),
    };
    for (const [name, report] of Object.entries(pages)) {
      for (const scheme of ['light', 'dark']) {
        for (const [width, media] of [
          [1000, 'screen'],
          [320, 'screen'],
          [800, 'print'],
        ] as const) {
          await browser.send('Emulation.setDeviceMetricsOverride', {
            width,
            height: 900,
            deviceScaleFactor: 1,
            mobile: false,
          });
          await browser.send('Emulation.setEmulatedMedia', {
            media,
            features: [{ name: 'prefers-color-scheme', value: scheme }],
          });
          await browser.open(page(report));
          const where = `${name} ${scheme} ${width} ${media}`;
          await browser.evaluate(`${axe.source};0`);
          const violations = await browser.evaluate<string[]>(
            `axe.run(document, { preload: false, resultTypes: ['violations'] }).then(({ violations }) =>
               violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 2).map(({ html }) => html).join(' ')))`,
          );
          assert.deepEqual(violations, [], where);
          const wide = await browser.evaluate<number>(
            'document.documentElement.scrollWidth - document.documentElement.clientWidth',
          );
          assert.ok(wide <= 0, `${where}: wider than its window by ${wide}`);
        }
      }
    }
  });
});

test('A page of hostile texts has no element, request or script of theirs, and shows them', async () => {
  await withBrowser('chromium-headless-shell', async (browser) => {
    await browser.open(page(hostileReport()));
    const found = await browser.evaluate<number>(
      "document.querySelectorAll('script, img, testcase, iframe, [onerror]').length",
    );
    assert.equal(found, 0);
    const requests = await browser.evaluate<number>("performance.getEntriesByType('resource').length");
    assert.equal(requests, 0);
    const text = await browser.evaluate<string>('document.body.innerText');
    assert.ok(text.includes(hostile[0] ?? '-') && text.includes('=HYPERLINK'));
    const rows = await browser.evaluate<number>(
      "document.querySelectorAll('section:not(:first-of-type) tbody tr').length",
    );
    assert.equal(rows, hostileReport().checks.length);
  });
});

test("TAP's own harness counts the same", async () => {
  const report = reportOf('seed');
  // It knows version 13; what is used of 14 is in 13 too.
  const text = renderReport(report, 'tap', options).replace('TAP version 14', 'TAP version 13');
  const file = join(folder, 'report.tap');
  await writeFile(file, text);
  const { stdout } = await run(['prove', '--merge', '-e', 'cat', file], { allowFailure: true });
  const failed = report.checks.flatMap(({ verdict }, at) => (verdict === 'fail' ? [at + 1] : []));
  assert.match(stdout, new RegExp(`Failed ${failed.length}/${report.checks.length} subtests`));
  assert.doesNotMatch(stdout, /Parse errors/);
  await writeFile(file, renderReport(hostileReport(), 'tap', options).replace('TAP version 14', 'TAP version 13'));
  assert.doesNotMatch(
    (await run(['prove', '--merge', '-e', 'cat', file], { allowFailure: true })).stdout,
    /Parse errors/,
  );
});
