import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { grade, loadFacts, loadRecord } from '@handwired/checker';
import { baselineFile, loadEndpoint, loadSpec, openSeat, recordFile, silent } from '@handwired/host';
import { chooseDriver } from '@handwired/infra';
import { chapters } from '@handwired/labs';
import { bareBoot } from './bare.ts';
import { labCommand } from './lab.ts';
import { counting } from './sandbox/grading.ts';

/**
 * `make bench`: how fast the `lab` command is, on this machine, against bare QEMU and against what issue and design
 * promise. Each figure is the median of a few runs, each row a ratio to its bound. Writes docs/performance.md.
 */
interface Figure {
  what: string;
  /** Seconds, MB or a count; `unit` says which. */
  measured: number;
  bound: number;
  unit: string;
}

const work = { progress: silent, signal: new AbortController().signal };
const figures: Figure[] = [];
const notes: string[] = [];

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

interface Timed {
  seconds: number;
  /** High-water mark of the process's resident memory, from /proc/PID/status. */
  peakMb: number;
}

/** Runs `lab` and measures it from the outside: from before its start to its end. */
async function time(...words: string[]): Promise<Timed> {
  const began = performance.now();
  const child = spawn(labCommand, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  let peakMb = 0;
  const look = setInterval(() => {
    void readFile(`/proc/${child.pid ?? 0}/status`, 'utf8').then(
      (text) => (peakMb = Math.max(peakMb, Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1000)),
      () => undefined,
    );
  }, 20);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(look);
  if (code !== 0) throw new Error(`lab ${words.join(' ')} ended with ${code ?? 'a signal'}: ${said}`);
  return { seconds: (performance.now() - began) / 1000, peakMb };
}

async function repeat(times: number, run: () => Promise<Timed>): Promise<Timed> {
  const runs: Timed[] = [];
  for (let at = 0; at < times; at += 1) runs.push(await run());
  return { seconds: median(runs.map(({ seconds }) => seconds)), peakMb: Math.max(...runs.map(({ peakMb }) => peakMb)) };
}

function add(what: string, measured: number, bound: number, unit = 's'): void {
  figures.push({ what, measured, bound, unit });
  console.log(`${what}: ${measured.toFixed(2)} ${unit} (bound ${bound} ${unit})`);
}

async function benchSandbox(): Promise<void> {
  const up: number[] = [];
  const down: number[] = [];
  for (let at = 0; at < 3; at += 1) {
    up.push((await time('up', 'bench', '--driver', 'sandbox')).seconds);
    if (at < 2) down.push((await time('destroy', 'bench')).seconds);
  }
  add('lab up of a sandbox', median(up), 1);
  add('lab up of a sandbox that is up', (await repeat(5, () => time('up', 'bench'))).seconds, 0.5);
  add('lab status', (await repeat(5, () => time('status'))).seconds, 0.4);
  await time('build', 'bench');
  const check = await repeat(5, () => time('check', 'bench'));
  add('lab check of the whole course on a sandbox', check.seconds, 3);
  add('round trips of that check', await roundTrips('bench'), 3, '');
  add('peak memory of that check', check.peakMb, 200, 'MB');
  await time('destroy', 'bench');
  notes.push(`lab destroy of a sandbox: ${median(down).toFixed(2)} s`);
}

/** Programs that one grading runs. */
async function roundTrips(name: string): Promise<number> {
  const counted = counting(await openSeat(await loadEndpoint(name)));
  const baseline = await loadFacts(baselineFile(name));
  if (!baseline) throw new Error('no baseline');
  const { plan, driver } = await loadSpec(name);
  const record = await loadRecord(recordFile(name));
  const report = await grade({ seat: counted.seat, lab: name, driver, plan, baseline, record, chapters });
  counted.seat.close();
  if (report.exit !== 0) throw new Error(`the bench's own build is graded ${report.exit}`);
  return counted.trips;
}

async function benchVm(): Promise<void> {
  const machine = ['--cpus', '1', '--memory', '512'];
  await time('up', 'bench', '--driver', 'vm', ...machine);
  await time('destroy', 'bench');
  const bare: number[] = [];
  const up: number[] = [];
  const down: number[] = [];
  for (let at = 0; at < 3; at += 1) {
    bare.push((await bareBoot({ cpus: 1, memoryMiB: 512 }, work)) / 1000);
    up.push((await time('up', 'bench', '--driver', 'vm', ...machine)).seconds);
    if (at < 2) down.push((await time('destroy', 'bench')).seconds);
  }
  const alone = median(bare);
  notes.push(`bare QEMU, same kernel, disk and accelerator, from power-on to an ssh answer: ${alone.toFixed(1)} s`);
  notes.push(`lab up of a VM, warm caches: ${median(up).toFixed(1)} s`);
  add('lab up of a VM, in times of bare QEMU', median(up) / alone, 1.15, 'x');
  add('lab up of a VM that is up', (await repeat(3, () => time('up', 'bench'))).seconds, 0.5);
  add('lab status with a VM', (await repeat(3, () => time('status'))).seconds, 0.4);
  const build = await time('build', 'bench');
  const check = await repeat(3, () => time('check', 'bench'));
  notes.push(`lab build of the whole course on a VM: ${build.seconds.toFixed(1)} s`);
  notes.push(`lab check of the whole course on a VM: ${check.seconds.toFixed(1)} s`);
  down.push((await time('destroy', 'bench')).seconds);
  add('lab destroy of a VM', median(down), 5);
}

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

function page(machine: string[]): string {
  const rows = figures.map(({ what, measured, bound, unit }) => {
    const ratio = measured / bound;
    return `| ${what} | ${measured.toFixed(2)} ${unit} | ${bound} ${unit} | ${ratio.toFixed(2)} | ${ratio <= 1 ? 'yes' : 'no'} |`;
  });
  return [
    '# Performance',
    '',
    '`make bench` writes this page. All figures are of one run on one machine, medians of three to five:',
    '',
    ...machine.map((line) => `- ${line}`),
    '',
    '| what | measured | bound | ratio | within |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    'Without a bound:',
    '',
    ...notes.map((line) => `- ${line}`),
    '',
  ].join('\n');
}

const before = process.env.XDG_STATE_HOME;
const state = (process.env.XDG_STATE_HOME = await mkdtemp(join(tmpdir(), 'handwired-bench-')));
try {
  const machine = await machineLines();
  console.log(machine.join('\n'));
  await benchSandbox();
  const { driver, why } = await chooseDriver('auto', work);
  if (driver.name === 'vm') await benchVm();
  else notes.push(`no VM was measured: ${why}`);
  await writeFile(resolve(import.meta.dirname, '../docs/performance.md'), page(machine));
} finally {
  await time('destroy', '--all');
  await rm(state, { recursive: true, force: true });
  if (before !== undefined) process.env.XDG_STATE_HOME = before;
}
