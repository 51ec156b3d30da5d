import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { labCommand } from '../lab.ts';
import { median } from './figures.ts';

export interface Timed {
  seconds: number;
  /** High-water mark of the process's resident memory, from /proc/PID/status. */
  peakMb: number;
  stdout: string;
}

/** Runs `lab` and measures it from the outside: from before its start to its end. It must end with `exit`. */
export async function time(words: readonly string[], exit = 0): Promise<Timed> {
  const began = performance.now();
  const child = spawn(labCommand, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => (said[name] += text));
  let peakMb = 0;
  const look = setInterval(() => {
    void readFile(`/proc/${child.pid ?? 0}/status`, 'utf8').then(
      (text) => (peakMb = Math.max(peakMb, Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1000)),
      () => undefined,
    );
  }, 20);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(look);
  if (code !== exit)
    throw new Error(
      `lab ${words.join(' ')} ended with ${code ?? 'a signal'}: ${said.stderr}${said.stdout.slice(-2000)}`,
    );
  return { seconds: (performance.now() - began) / 1000, peakMb, stdout: said.stdout };
}

/** The median time of some runs, and the most memory that one of them took. */
export async function repeat(times: number, run: () => Promise<Timed>): Promise<Omit<Timed, 'stdout'>> {
  const runs: Timed[] = [];
  for (let at = 0; at < times; at += 1) runs.push(await run());
  return { seconds: median(runs.map(({ seconds }) => seconds)), peakMb: Math.max(...runs.map(({ peakMb }) => peakMb)) };
}
