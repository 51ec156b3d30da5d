import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPlan } from '@handwired/host';
import { allBlocks, chapters, guideLines, loadGuide, makeSite, summaryLines } from '@handwired/labs';
import { readAnswers } from './answers.ts';

const values = { plan: defaultPlan, lab: 'lab' };
const look = { plan: defaultPlan, columns: 80, color: false, plain: true };

/** The text of a page or a script: without tags, its entities and escapes as what they stand for. */
const textIn = (page: string): string =>
  page
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');

/** What the answer types on the lab host; what it types on the learner's own machine are commands that guides have too. */
const typedOnLabHost = async (id: (typeof chapters)[number]['id']): Promise<string[]> =>
  allBlocks(await readAnswers(id, values)).flatMap((block) =>
    block.kind === 'command' && block.where === 'lab host' ? [block.text] : [],
  );

test("Each chapter's exercise has an answer", async () => {
  for (const { id } of chapters) {
    const blocks = await readAnswers(id, values);
    assert.ok(
      blocks.some(({ kind }) => kind === 'command'),
      id,
    );
  }
});

test('Neither a guide nor the site has an answer in it', async () => {
  const site = [...(await makeSite({ ...values, subtitle: '' }))].map(([name, text]) => ({ name, text: textIn(text) }));
  const summary = summaryLines(look).join('\n');
  for (const { id } of chapters) {
    const guide = guideLines(await loadGuide(id, values), { ...look, subtitle: '', next: [] }).join('\n');
    for (const answer of await typedOnLabHost(id)) {
      assert.ok(!answer.split('\n').every((line) => guide.includes(line.trim())), `lab guide ${id}: ${answer}`);
      assert.ok(!summary.includes(answer), `lab guide summary: ${answer}`);
      for (const { name, text } of site) {
        assert.ok(!text.includes(answer), `${name}: ${answer}`);
        assert.ok(!text.includes(JSON.stringify(answer).slice(1, -1)), `${name}: ${answer}`);
      }
    }
  }
});
