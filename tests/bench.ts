import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { listLabs, silent } from '@handwired/host';
import { chooseDriver, findObstacle } from '@handwired/infra';
import { benchFifty } from './bench/fifty.ts';
import { note, page } from './bench/figures.ts';
import { benchSandbox } from './bench/sandbox.ts';
import { time } from './bench/time.ts';
import { benchVm } from './bench/vm.ts';

/**
 * `make bench`: how fast the `lab` command is, on this machine, against bare QEMU, against testinfra and against what issue
 * and design promise. Each figure is the median of a few runs, each row a ratio to its bound. Writes docs/performance.md.
 * `--only sandbox|fifty|vm`: that part, shown and not written.
 */
const work = { progress: silent, signal: new AbortController().signal };

async function machineLines(): Promise<string[]> {
  const { driver, why } = await chooseDriver('auto', work);
  const [first] = cpus();
  const commit = (await readFile(resolve(import.meta.dirname, '../package.json'), 'utf8')).match(
    /"version": "(.*)"/,
  )?.[1];
  return [
    `${cpus().length} cores (${first?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}`,
    `Node ${process.version}, handwired ${commit ?? ''}; \`--driver auto\` takes ${driver.name}: ${why}`,
  ];
}

const { only } = parseArgs({ options: { only: { type: 'string' } } }).values;
const before = process.env.XDG_STATE_HOME;
const state = (process.env.XDG_STATE_HOME = await mkdtemp(join(tmpdir(), 'handwired-bench-')));
// The command that is measured gets the same Ctrl-C and ends, which is an error here: so what was made is removed below.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => console.error(`${signal}: ending, and removing what was made`));
try {
  const machine = await machineLines();
  console.log(machine.join('\n'));
  if (only === undefined || only === 'sandbox') await benchSandbox();
  if (only === undefined || only === 'fifty') await benchFifty(state);
  const obstacle = await findObstacle('vm', work.signal);
  if (only === 'vm' || (only === undefined && obstacle === undefined)) await benchVm();
  else if (only === undefined) note(`no VM was measured: ${obstacle}`);
  if (only === undefined) await writeFile(resolve(import.meta.dirname, '../docs/performance.md'), page(machine));
} finally {
  for (const name of await listLabs()) await time(['destroy', name]);
  await rm(state, { recursive: true, force: true });
  if (before !== undefined) process.env.XDG_STATE_HOME = before;
}
