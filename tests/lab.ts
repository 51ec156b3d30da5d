import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runLab } from '../cli/main.ts';
import { type Marks, readMarks } from './marks.ts';

export const labCommand = resolve(import.meta.dirname, '../node_modules/.bin/lab');

export interface Ended {
  /** null: a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs `lab` in this process, which saves half a second: for what depends on no terminal, signal or folder. `env` is set
 * meanwhile, so one at a time.
 */
export async function runInProcess(words: readonly string[], env: Record<string, string>): Promise<Ended> {
  const before = { ...process.env };
  const stopped = stopSignals.map((name) => process.listeners(name));
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
  const shown = Promise.all([text(streams.stdout), text(streams.stderr)]);
  Object.assign(process.env, env);
  try {
    const code = await runLab(words, streams);
    for (const stream of Object.values(streams)) stream.end();
    const [stdout, stderr] = await shown;
    return { code, stdout, stderr };
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, before);
    for (const [i, name] of stopSignals.entries()) {
      for (const listener of process.listeners(name)) if (!stopped[i]?.includes(listener)) process.off(name, listener);
    }
  }
}

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

interface Running {
  pid: number;
  /** Sends a signal to the lab process itself, not to what it started. */
  kill(signal: NodeJS.Signals): void;
  ended: Promise<Ended>;
  /** Settles when its output, stdout and stderr together, matches. Rejects when it ends before that. */
  shows(pattern: RegExp): Promise<void>;
}

/** The `lab` command with a state folder of its own, as a user would type it. */
export interface Lab {
  (...words: string[]): Promise<Ended>;
  start(words: string[], env?: Record<string, string>): Running;
  state: string;
}

/**
 * Does something with labs of one's own; every one of them is destroyed afterwards, whatever happened. `marks`: notes
 * the labs that are there after each command.
 */
export async function withLabs(test: (lab: Lab) => Promise<void>, marks?: Marks): Promise<void> {
  const state = await mkdtemp(join(tmpdir(), 'handwired-test-'));
  const start: Lab['start'] = (words, env = {}) => startLab(words, { XDG_STATE_HOME: state, ...env });
  const run = async (...words: string[]): Promise<Ended> => {
    const ended = await start(words).ended;
    if (marks) await readMarks(marks, join(state, 'handwired'));
    return ended;
  };
  const lab = Object.assign(run, { start, state });
  try {
    await test(lab);
  } finally {
    const left: string[] = [];
    for (const name of await listLabs(state)) {
      const { code, stderr } = await lab('destroy', name);
      if (code !== 0) left.push(`${name}: ${stderr}`);
    }
    await rm(state, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`labs are left: ${left.join('\n')}`);
  }
}

/** The labs of a state folder. A test destroys these by name: with `--all` lost labs of others would go too. */
const listLabs = (state: string): Promise<string[]> => readdir(join(state, 'handwired/labs')).catch(() => []);

function startLab(words: string[], env: Record<string, string>): Running {
  // What hangs is ended, and fails its test: no command takes half an hour.
  const child = spawn(labCommand, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    timeout: 1_800_000,
  });
  const said = { stdout: '', stderr: '' };
  const seen = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      said[name] += chunk;
      for (const look of seen) look();
    });
  }
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }));
  const shows = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (pattern.test(said.stdout + said.stderr)) resolve();
      };
      seen.add(look);
      look();
      void ended.then(() =>
        reject(new Error(`ended before it showed ${String(pattern)}: ${said.stdout}${said.stderr}`)),
      );
    });
  return { pid: child.pid ?? 0, kill: (signal) => child.kill(signal), ended, shows };
}
