import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { tell } from '../guides/report.ts';
import { runGuides, written } from '../guides/run.ts';
import { noVm } from './vm.ts';

/** All chapters take 7 to 25 minutes on an emulated VM: a few are drawn, others each time; HANDWIRED_VM_GUIDES=99 is all. */
const count = Number(process.env.HANDWIRED_VM_GUIDES ?? 3);
const seed = process.env.HANDWIRED_SEED ?? randomUUID().slice(0, 8);

/** `size` of the entries in their order, drawn by a seed: the same seed draws the same. */
function draw<T extends string>(entries: readonly T[], size: number): T[] {
  const place = (entry: T): string => createHash('sha256').update(`${seed} ${entry}`).digest('hex');
  const drawn = entries.toSorted((one, other) => place(one).localeCompare(place(other))).slice(0, size);
  return entries.filter((entry) => drawn.includes(entry));
}

test('On a real VM guides run as written too, and the checker agrees after each', {
  skip: await noVm(),
}, async (t) => {
  t.diagnostic(`drawn by HANDWIRED_SEED=${seed}`);
  const results = await runGuides({
    chapters: draw(await written(), count),
    driver: 'vm',
    onChapter: ({ chapter, blocks, ms }) => t.diagnostic(`${chapter}: ${blocks} blocks, ${Math.round(ms)} ms`),
  });
  const wrong = results.filter(({ failures }) => failures.length > 0);
  assert.equal(wrong.map(tell).join('\n'), '', `draw the same again: HANDWIRED_SEED=${seed}`);
});
