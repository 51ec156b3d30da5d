import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { createProgress } from './stages.ts';

function pipe(): { stream: NodeJS.WriteStream; text: () => string } {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString());
      done();
    },
  });
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => chunks.join('') };
}

test('without a terminal a stage is one plain line with its time', async () => {
  const { stream, text } = pipe();
  assert.equal(await createProgress(stream).stage('image', () => Promise.resolve(7)), 7);
  assert.match(text(), /^image {2}\d+\.\d s\n$/);
});

test('a failed stage says so and passes its error on', async () => {
  const { stream, text } = pipe();
  await assert.rejects(
    createProgress(stream).stage('image', () => Promise.reject(new Error('no disk'))),
    /no disk/,
  );
  assert.match(text(), /^failed: image/);
});

test('stages are indented by the stage they were started in, not by what runs beside them', async () => {
  const { stream, text } = pipe();
  const progress = createProgress(stream);
  const lab = (name: string) => progress.stage(name, () => progress.stage(`${name} boots`, () => Promise.resolve()));
  await Promise.all([lab('a'), lab('b')]);
  const lines = text()
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/ {2}\d.*/, ''));
  assert.deepEqual(lines.sort(), ['  a boots', '  b boots', 'a', 'b']);
});

test('text that would drive a terminal is shown without its control characters', async () => {
  const { stream, text } = pipe();
  const progress = createProgress(stream);
  progress.note('a\u001b[2Jb\nc');
  await progress.stage('x\u0007y', () => Promise.resolve());
  assert.match(text(), /^ab c\nx y {2}/);
});
