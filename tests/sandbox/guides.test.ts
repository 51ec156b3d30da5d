import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChapterId, defaultPlan } from '@handwired/host';
import { chapters, readGuide } from '@handwired/labs';
import { tell } from '../guides/report.ts';
import { runGuides } from '../guides/run.ts';
import { noSandbox } from './sandbox.ts';

test('Every guide runs as written, in the order of the course, and the checker agrees after each', {
  skip: noSandbox,
}, async (t) => {
  const written: ChapterId[] = [];
  for (const { id } of chapters) if (await readGuide(id, { plan: defaultPlan, lab: 'lab' })) written.push(id);
  const results = await runGuides({
    chapters: written,
    driver: 'sandbox',
    name: 'guides',
    onChapter: ({ chapter, blocks, ms }) => t.diagnostic(`${chapter}: ${blocks} blocks, ${Math.round(ms)} ms`),
  });
  const wrong = results.filter(({ failures }) => failures.length > 0);
  assert.equal(wrong.map(tell).join('\n'), '');
});
