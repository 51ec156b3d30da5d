import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { chapterIds, defaultPlan } from '@handwired/host';
import { chapters } from './chapters.ts';
import { record } from './index.ts';

const ids = chapters.map(({ id }) => id);

test('Every chapter folder is in the registry, in the order of its number', async () => {
  const folders = (await readdir(import.meta.dirname)).filter((name) => /^\d\d-/.test(name)).sort();
  assert.deepEqual(
    chapters.map(({ number, id }) => `${number}-${id}`),
    folders,
  );
  assert.deepEqual(ids, [...chapterIds]);
});

test('A chapter needs only chapters before it, and the points make 100', () => {
  for (const [i, { needs }] of chapters.entries()) {
    for (const need of needs) assert.ok(ids.slice(0, i).includes(need), need);
  }
  assert.equal(
    chapters.reduce((sum, { points }) => sum + points, 0),
    100,
  );
});

test("Every step has its texts, in sentences, and Docker's place in moby", () => {
  for (const { id, title, steps } of chapters) {
    assert.ok(title.length > 0);
    for (const step of steps) {
      const where = `${id}/${step.id}`;
      assert.match(step.title, /^[A-Z].*\.$/, where);
      assert.match(step.why, /^[A-Z`].*\.$/, where);
      assert.match(step.docker.does, /^[A-Z].*\.$/, where);
      assert.match(step.docker.source, /^daemon\/[\w/]+\.go: [\w, .:;]+$/, where);
    }
  }
});

test('Build takes the steps of a chapter in the order of its texts, undo in the reverse, each once', () => {
  for (const { id, steps } of chapters) {
    const texts = steps.map((step) => step.id);
    const built = record('build', defaultPlan, [id]);
    assert.deepEqual(
      built.map((step) => step.id),
      texts,
    );
    const undone = record('undo', defaultPlan, [id]);
    assert.deepEqual(
      undone.map((step) => step.id),
      texts.toReversed(),
    );
    // To undo a cleanup, the learner builds the network again.
    if (id === 'cleanup') assert.ok(undone.every(({ commands }) => commands.length === 0));
  }
});

test('Cleanup undoes every other chapter that builds something, the last first', () => {
  const others = chapters
    .filter(({ id, steps }) => id !== 'cleanup' && steps.length > 0)
    .map(({ id }) => id)
    .toReversed();
  assert.deepEqual(
    chapters.at(-1)?.steps.map(({ id }) => id),
    others,
  );
});
