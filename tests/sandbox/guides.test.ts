import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tell } from '../guides/report.ts';
import { runGuides, written } from '../guides/run.ts';
import { noSandbox } from './sandbox.ts';

test('Every guide runs as written, in the order of the course, and the checker agrees after each', {
  skip: noSandbox,
}, async (t) => {
  const results = await runGuides({
    chapters: await written(),
    driver: 'sandbox',
    onChapter: ({ chapter, blocks, ms }) => t.diagnostic(`${chapter}: ${blocks} blocks, ${Math.round(ms)} ms`),
  });
  const wrong = results.filter(({ failures }) => failures.length > 0);
  assert.equal(wrong.map(tell).join('\n'), '');
});
