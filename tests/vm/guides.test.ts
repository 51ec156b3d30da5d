import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tell } from '../guides/report.ts';
import { runGuides, written } from '../guides/run.ts';
import { noVm } from './vm.ts';

test('On a real VM every guide runs as written too, and the checker agrees after each', {
  skip: await noVm(),
}, async (t) => {
  const results = await runGuides({
    chapters: await written(),
    driver: 'vm',
    onChapter: ({ chapter, blocks, ms }) => t.diagnostic(`${chapter}: ${blocks} blocks, ${Math.round(ms)} ms`),
  });
  const wrong = results.filter(({ failures }) => failures.length > 0);
  assert.equal(wrong.map(tell).join('\n'), '');
});
