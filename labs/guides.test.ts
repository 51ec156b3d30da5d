import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  allBlocks,
  type Block,
  findChapter,
  type Guide,
  guideLines,
  listGuideSteps,
  toPlainText,
  summarizeCourse,
} from '@handwired/course';
import { defaultPlan, derivePlan } from '@handwired/host';
import { chapters, course } from './chapters.ts';
import { readGuide, summaryLines } from './index.ts';

const guides: Guide[] = [];
for (const { id } of chapters) {
  const parsed = await readGuide(id, { plan: defaultPlan, lab: 'lab' });
  if (parsed) guides.push(parsed.guide);
}

test('Every chapter has a guide', () => {
  assert.deepEqual(
    guides.map(({ chapter }) => chapter.id),
    chapters.map(({ id }) => id),
  );
});

const blocksOf = ({ sections }: Guide): Block[] => allBlocks(sections.flatMap(({ blocks }) => blocks));

test('Every guide can be read, with any plan', async () => {
  for (const { chapter } of guides) {
    for (const plan of [defaultPlan, derivePlan('someone else')]) {
      const parsed = await readGuide(chapter.id, { plan, lab: 'demo' });
      assert.deepEqual(parsed?.problems, [], chapter.id);
    }
  }
});

test('A guide shows each step of its chapter, in order', () => {
  for (const guide of guides) {
    const shown = blocksOf(guide).flatMap((block) => (block.kind === 'step' ? [block.step.id] : []));
    const steps = listGuideSteps(findChapter(course, guide.chapter.id), defaultPlan);
    assert.deepEqual(
      shown,
      steps.map(({ id }) => id),
      `guide.md of ${guide.chapter.id} has another ::step{ID} than the chapter has steps`,
    );
  }
});

test('No guide says in its own words less than 250 or more than 900 words', () => {
  for (const guide of guides) {
    const words = blocksOf(guide).flatMap((block) =>
      'inlines' in block ? toPlainText(block.inlines).split(/\s+/) : [],
    );
    assert.ok(words.length >= 250 && words.length <= 900, `${guide.chapter.id}: ${words.length} words`);
  }
});

test('A guide ends with three questions', () => {
  for (const { chapter, sections } of guides) {
    const [list] = sections.find(({ id }) => id === 'ask')?.blocks ?? [];
    assert.ok(list?.kind === 'list' && list.ordered && list.items.length === 3, chapter.id);
  }
});

test("No value of the default plan stands in a guide's text for another plan", async () => {
  const other = derivePlan('someone else');
  const network = defaultPlan.gateway.replace(/1$/, '');
  assert.ok(!other.gateway.startsWith(network));
  for (const { chapter } of guides) {
    const parsed = await readGuide(chapter.id, { plan: other, lab: 'demo' });
    assert.ok(!JSON.stringify(parsed?.guide.sections).includes(network), chapter.id);
  }
});

test('A guide says once what Docker does, where that belongs, and draws what it is about', () => {
  for (const guide of guides) {
    const sections = guide.sections.filter(({ blocks }) => allBlocks(blocks).some(({ kind }) => kind === 'docker'));
    const steps = listGuideSteps(findChapter(course, guide.chapter.id), defaultPlan);
    const where = sections.map(({ id }) => id).join(' ');
    assert.ok(where === 'docker' || (where === '' && steps.length === 0), `${guide.chapter.id}: ${where}`);
    // After the cleanup there is nothing to draw.
    if (guide.chapter.id !== 'cleanup')
      assert.ok(
        blocksOf(guide).some(({ kind }) => kind === 'picture'),
        guide.chapter.id,
      );
  }
});

test('A guide fits a terminal of 60 columns, but for words in quotes or in here documents', () => {
  for (const guide of guides) {
    const look = { plan: defaultPlan, columns: 60, color: false, plain: false, subtitle: '', next: [] };
    const wide = guideLines(guide, look).filter((line) => line.length > 60);
    assert.deepEqual(
      wide.filter((line) => !/^ {6,}(.*['"<$]|\S+$)/.test(line)),
      [],
      guide.chapter.id,
    );
  }
});

test('The whole on one screen has each chapter that builds something, in its order, within the terminal', () => {
  const entries = summarizeCourse(course, defaultPlan);
  const built = chapters.filter(({ steps }) => steps.some(({ object }) => object !== undefined)).map(({ id }) => id);
  assert.ok(built.length >= 8);
  assert.deepEqual([...new Set(entries.map(({ chapter }) => chapter))], built);
  for (const columns of [60, 80, 140]) {
    const lines = summaryLines({ columns, color: false, plain: false, plan: defaultPlan });
    assert.deepEqual(
      lines.filter((line) => line.length > columns),
      [],
    );
    const most = columns < 80 ? 64 : 42;
    assert.ok(
      lines.length <= most,
      `lab guide summary has ${lines.length} lines at ${columns} columns, at most ${most}: it is one screen, so not every step has an object`,
    );
  }
});
