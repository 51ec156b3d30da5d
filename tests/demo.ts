import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type DriverName, LabError, readMessage, run } from '@handwired/host';
import { findObstacle } from '@handwired/infra';
import { makeMarks, readMarks } from './marks.ts';
import { differenceAtRest, takeSnapshot } from './snapshot.ts';

/**
 * The main job, as a user would type it: `lab up`, build, check, undo, check of the cleanup, destroy, under
 * forward-policy accept and drop, between two snapshots of the machine in which nothing of it may differ.
 * `make lab` runs it on all drivers that this machine has, the fast one first; `make demo DRIVER=vm|sandbox` on one.
 * Exit 0: every step had the expected result.
 */
const root = resolve(import.meta.dirname, '..');
const bin = join(root, 'node_modules/.bin/lab');
const started = performance.now();
const stop = new AbortController();
const labs: string[] = [];
const times: string[] = [];
const marks = await makeMarks();

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`.padStart(8);

class Failure extends Error {}

/** Runs `lab` and shows what it prints. Exit code 0 of `lab check` is: there are checks, and all of them pass. */
async function lab(words: string[]): Promise<void> {
  console.log(`\n${seconds(started)}  $ lab ${words.join(' ')}`);
  const began = performance.now();
  const said: string[] = [];
  const show = (line: string): void => {
    said.push(line);
    console.log(`  ${line}`);
  };
  const { code } = await run([bin, ...words], { allowFailure: true, signal: stop.signal, onLine: show });
  await readMarks(marks);
  times.push(`${seconds(began)}  lab ${words.join(' ')}`);
  if (code === 0) return;
  const reason = said.find((line) => /^lab: /.test(line)) ?? said.at(-1) ?? 'it said nothing';
  throw new Failure(`lab ${words.join(' ')} ended with ${code ?? 'a signal'}: ${reason}`);
}

/** One lab from nothing to nothing. */
async function round(driver: DriverName, policy: 'accept' | 'drop'): Promise<void> {
  const name = `demo-${policy}-${randomBytes(4).toString('hex')}`;
  labs.push(name);
  marks.names.add(name);
  await lab(['up', name, '--driver', driver, '--condition', `forward-policy=${policy}`]);
  await lab(['status', name]);
  await lab(['exec', name, '--', 'uname', '-a']);
  await lab(['build', name]);
  await lab(['check', name]);
  await lab(['undo', name, '--all']);
  await lab(['check', name, '--chapter', 'cleanup']);
  await lab(['destroy', name]);
  await lab(['progress', name, '--forget']);
  labs.pop();
}

/** The main job on a driver that is set up. */
async function demo(driver: DriverName): Promise<void> {
  console.log(`\n${seconds(started)}  snapshot of the machine before`);
  const before = await takeSnapshot(marks);
  await round(driver, 'accept');
  await round(driver, 'drop');
  const { own, others } = await differenceAtRest(before, marks);
  if (own.length > 0) throw new Failure(`the machine is not as it was:\n  ${own.join('\n  ')}`);
  console.log(
    `\n${seconds(started)}  snapshot of the machine after: equal (links, rules, sysctls, mounts, processes, libvirt objects, files)`,
  );
  if (others.length > 0)
    console.log(`  of other labs, which came or went meanwhile:\n    ${others.slice(0, 10).join('\n    ')}`);
}

/** Sets a driver up and does the main job on it. */
async function setUpAndDemo(driver: DriverName): Promise<void> {
  await lab(['setup', driver]);
  await demo(driver);
}

/** The main job on each driver that this machine can run. Gives a line for each one that it can't, with the reason. */
async function demoAll(): Promise<string[]> {
  const missed: string[] = [];
  for (const driver of ['sandbox', 'vm'] as const) {
    const obstacle = await findObstacle(driver, stop.signal);
    if (obstacle === undefined) await setUpAndDemo(driver);
    else missed.push(`not shown: driver ${driver}. ${obstacle}`);
  }
  if (missed.length === 2) throw new Failure(`no lab host can be had here:\n  ${missed.join('\n  ')}`);
  return missed;
}

/** Removes what was made, whatever went wrong. */
async function cleanUp(): Promise<void> {
  for (const name of labs) {
    const { code } = await run([bin, 'destroy', name], {
      allowFailure: true,
      onLine: (line) => console.log(`  ${line}`),
    });
    await run([bin, 'progress', name, '--forget'], { allowFailure: true });
    if (code !== 0 && code !== 78) console.error(`  lab ${name} is still there. Next: lab destroy ${name}`);
  }
}

const { driver } = parseArgs({ options: { driver: { type: 'string', default: 'auto' } } }).values;
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => stop.abort(new Failure(`interrupted (${name})`)));
try {
  const missed = driver === 'auto' ? await demoAll() : [];
  if (driver === 'vm' || driver === 'sandbox') await setUpAndDemo(driver);
  else if (driver !== 'auto') throw new Failure(`no driver is named ${driver}. Next: make demo DRIVER=sandbox`);
  const end = ['all of it is right, and nothing is left', ...missed].join('\n');
  console.log(`\n${times.join('\n')}\n${seconds(started)}  in all\n\n${end}`);
} catch (error) {
  const text = error instanceof Failure ? error.message : readMessage(error);
  console.error(`\ndemo: ${text}${error instanceof LabError ? `. Next: ${error.next}` : ''}`);
  await cleanUp();
  process.exitCode = stop.signal.aborted ? 130 : 1;
} finally {
  await marks.end();
}
