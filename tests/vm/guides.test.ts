import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawnBy, drawSample } from '../draw.ts';
import { tell } from '../guides/report.ts';
import { runGuides, written } from '../guides/run.ts';
import { noVm } from './vm.ts';

/** All chapters take 7 to 25 minutes on an emulated VM: a few are drawn, others each time; HANDWIRED_VM_GUIDES=99 is all. */
const count = Number(process.env.HANDWIRED_VM_GUIDES ?? 3);

test('On a real VM guides run as written too, and the checker agrees after each', {
  skip: await noVm(),
}, async (t) => {
  t.diagnostic(`drawn by ${drawnBy}`);
  const results = await runGuides({
    chapters: drawSample(await written(), count, (id) => id),
    driver: 'vm',
    onChapter: ({ chapter, blocks, ms }) => t.diagnostic(`${chapter}: ${blocks} blocks, ${Math.round(ms)} ms`),
  });
  const wrong = results.filter(({ failures }) => failures.length > 0);
  assert.equal(wrong.map(tell).join('\n'), '', `draw the same again: ${drawnBy}`);
});
