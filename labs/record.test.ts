import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { renderGuardedScript, type RecordedStep } from '@handwired/course';
import { type ChapterId, defaultPlan, derivePlan, type Plan, run } from '@handwired/host';
import { chapters } from './chapters.ts';
import { record } from './index.ts';

const course = chapters.map(({ id }) => id).filter((id) => id !== 'cleanup');

const text = (steps: RecordedStep[]): string =>
  steps
    .map(({ chapter, id, title, commands }) =>
      [`# ${chapter}/${id}: ${title}`, ...commands.map(({ run: { cmd } }) => cmd)].join('\n'),
    )
    .join('\n\n');

const whole = (plan: Plan): [string, string] => [
  `${text(record('build', plan, course))}\n`,
  `${text(record('undo', plan, course.toReversed()))}\n`,
];

for (const [i, way] of (['build', 'undo'] as const).entries()) {
  test(`The commands of the whole ${way} are those of the text file beside this test`, (t: TestContext) => {
    const file = join(import.meta.dirname, 'fixtures', `${way}.sh`);
    try {
      t.assert.fileSnapshot(whole(defaultPlan)[i], file, { serializers: [String] });
    } catch {
      assert.fail(`the commands are others than in ${file}; next: node --run record, then git diff`);
    }
  });
}

test("Another student's plan changes values in the commands, and nothing else", () => {
  const plan = derivePlan('someone');
  const network = plan.gateway.replace(/\.0\.1$/, '');
  const mac = `ac:${Number(network.split('.')[1]).toString(16).padStart(2, '0')}`;
  for (const i of [0, 1] as const) {
    const values = whole(defaultPlan)
      [i].replaceAll('172.18', network)
      .replaceAll('ac:12', mac)
      .replaceAll('8080', String(plan.hostPort));
    assert.equal(whole(plan)[i], values);
  }
});

test('Every step, with its guards, is clean POSIX sh for shellcheck', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'handwired-steps-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const all: [way: 'build' | 'undo', ids: ChapterId[]][] = [
    ['build', [...course, 'cleanup']],
    ['undo', course],
  ];
  const files: string[] = [];
  for (const [way, ids] of all) {
    for (const { chapter, id, commands } of record(way, defaultPlan, ids)) {
      files.push(`${way}-${chapter}-${id}`);
      await writeFile(join(folder, files.at(-1) ?? ''), renderGuardedScript(commands));
    }
  }
  assert.equal(new Set(files).size, files.length);
  // SC3013: dash has `-ef`, and so has POSIX.1-2024. SC2046: kill takes the pids as several words. SC2154: `id` is set by the `before` of another line.
  const argv = ['shellcheck', '-s', 'sh', '-e', 'SC2046,SC3013', ...files];
  const { code, stdout } = await run(argv, { cwd: folder, allowFailure: true, next: 'make setup' });
  assert.equal(code, 0, stdout);
});
