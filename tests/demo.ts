import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { LabError, readMessage, run } from '@handwired/host';
import { differenceAtRest, takeSnapshot } from './snapshot.ts';

/**
 * The main job, as a user would type it: `lab up`, build, check, undo, check of the cleanup, destroy, under
 * forward-policy accept and drop, between two snapshots of the machine that have to be equal.
 * `make lab` and `make demo DRIVER=vm|sandbox` run it. Exit 0: every step had the expected result.
 */
const root = resolve(import.meta.dirname, '..');
const bin = join(root, 'node_modules/.bin/lab');
const started = performance.now();
const stop = new AbortController();
const labs: string[] = [];
const times: string[] = [];

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

class Failure extends Error {}

/** Runs `lab` and shows what it prints. Exit code 0 of `lab check` is: there are checks, and all of them pass. */
async function lab(words: string[]): Promise<void> {
  console.log(`\n$ lab ${words.join(' ')}`);
  const began = performance.now();
  const show = (line: string): void => console.log(`  ${line}`);
  const { code } = await run([bin, ...words], { allowFailure: true, signal: stop.signal, onLine: show });
  times.push(`${seconds(began).padStart(8)}  lab ${words.join(' ')}`);
  if (code !== 0) throw new Failure(`lab ${words.join(' ')} ended with ${code ?? 'a signal'}`);
}

/** One lab from nothing to nothing. */
async function round(driver: string, policy: 'accept' | 'drop'): Promise<void> {
  const name = `demo-${policy}-${randomBytes(2).toString('hex')}`;
  labs.push(name);
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

async function demo(driver: string): Promise<void> {
  await lab(['setup', driver]);
  console.log('\nsnapshot of the machine before');
  const before = await takeSnapshot();
  await round(driver, 'accept');
  await round(driver, 'drop');
  const left = await differenceAtRest(before);
  if (left.length > 0) throw new Failure(`the machine is not as it was:\n  ${left.join('\n  ')}`);
  console.log(
    '\nsnapshot of the machine after: equal (links, rules, sysctls, mounts, processes, libvirt objects, files)',
  );
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

const { values } = parseArgs({ options: { driver: { type: 'string', default: 'auto' } } });
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => stop.abort(new Failure(`interrupted (${name})`)));
try {
  await demo(values.driver);
  console.log(
    `\n${times.join('\n')}\n${seconds(started).padStart(8)}  in all\n\nall of it is right, and nothing is left`,
  );
} catch (error) {
  const text = error instanceof Failure ? error.message : readMessage(error);
  console.error(`
demo: ${text}${error instanceof LabError ? `. Next: ${error.next}` : ''}`);
  await cleanUp();
  process.exitCode = stop.signal.aborted ? 130 : 1;
}
