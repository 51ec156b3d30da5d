import { fileURLToPath } from 'node:url';
import { listCauses } from '@handwired/checker';
import { EXIT, LabError, run } from '@handwired/host';
import { chapters } from '@handwired/labs';
import { listChecks } from '@handwired/checker/checks';
import { gradedChapters } from '@handwired/labs/checks';
import { faults } from '@handwired/labs/faults';
import type { Context, LabCommand } from '../../command.ts';
import { chapterFolder } from '../../dev/skeletons.ts';

/** `lab dev check`: proves one check, cause, fault or chapter alone, by its unit tests and on a sandbox of its own. */
export const command: LabCommand = {
  example: 'lab dev check bridge.up',
  declare: (command) => command.argument('<id>', 'of a check, a cause, a fault or a chapter'),
  run: runDevCheck,
};

/** One thing that is run. */
interface Proof {
  title: string;
  argv: string[];
  env?: Record<string, string>;
}

const node = ['node_modules/.bin/node', '--import', './cli/loader.mjs'];
const nodeTest = [...node, '--test', '--test-reporter=spec'];

async function runDevCheck(context: Context, id: string): Promise<number> {
  const proofs = planProofs(id);
  if (proofs.length === 0) {
    const what = `there is no check, cause, fault or chapter '${id.slice(0, 80)}'`;
    throw new LabError({ what, next: 'lab dev new --help', exit: EXIT.usage });
  }
  const cwd = fileURLToPath(new URL('../../../', import.meta.url));
  for (const { title, argv, env = {} } of proofs) {
    const { code, stdout, stderr } = await context.progress.stage(title, (note) =>
      run(argv, { cwd, env, signal: context.signal, onLine: note, allowFailure: true }),
    );
    if (code === 0) continue;
    context.print(`${stdout}${stderr}`.trimEnd());
    context.print(`\n${title}: not as it should be\nnext: lab dev check ${id}   (when it is mended)`);
    return EXIT.failed;
  }
  context.print(`${id}: ${proofs.map(({ title }) => title).join('; ')}: all as it should be\nnext: make verify`);
  return EXIT.ok;
}

/** What proves an id: the same id may be a fault's and a cause's. None: nothing has it. */
function planProofs(id: string): Proof[] {
  const check = listChecks(gradedChapters).find((one) => one.id === id);
  const fault = faults.find((one) => one.id === id);
  const isCause = listCauses().some((cause) => cause.id === id);
  const chapter = chapters.find((one) => one.id === id);
  const shown = faults.filter(({ cause, machine }) => cause === id && machine !== 'vm').map((one) => one.id);
  return [
    ...(check ? [unitTests('labs/checks.test.ts', `${chapterFolder(check.chapter)}/*.test.ts`)] : []),
    ...(check
      ? [{ title: 'a right build and wrong ones on a sandbox', argv: [...node, 'tests/sandbox/prove-check.ts', id] }]
      : []),
    ...(fault ? [unitTests('labs/faults/*.test.ts')] : []),
    ...(isCause ? [unitTests('checker/diagnosis/*.test.ts')] : []),
    ...(fault || shown.length > 0 ? [proveFaults(fault ? [id, ...shown] : shown)] : []),
    ...(isCause ? [proveBreakages(id)] : []),
    ...(chapter ? [unitTests('labs/{chapters,guides,record}.test.ts', `${chapterFolder(chapter.id)}/*.test.ts`)] : []),
    ...(chapter ? [{ title: 'the guide, typed on a sandbox', argv: [...node, 'tests/guides/main.ts', id] }] : []),
  ];
}

const unitTests = (...files: string[]): Proof => ({
  title: `unit tests (${files.join(' ')})`,
  argv: [...nodeTest, ...files],
});

/** Each fault is put in, seen, named and mended. */
const proveFaults = (ids: readonly string[]): Proof => ({
  title: `on a sandbox: ${[...new Set(ids)].join(', ')}`,
  argv: [...nodeTest, '--test-name-pattern=^Each fault', 'tests/sandbox/faults.test.ts'],
  // A fault that was proven gets its row in docs/faults.md.
  env: { ONLY: `^(${ids.join('|')})$`, FAULTS_TABLE: 'write' },
});

const proveBreakages = (cause: string): Proof => ({
  title: 'what else is broken by it, named and mended on a sandbox',
  argv: [...nodeTest, 'tests/sandbox/broken.test.ts'],
  env: { ONLY: `^${cause}: ` },
});
