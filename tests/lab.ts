import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const labCommand = resolve(import.meta.dirname, '../node_modules/.bin/lab');

export interface Ended {
  /** null: ended by a signal. */
  code: number | null;
  stdout: string;
  stderr: string;
}

interface Running {
  pid: number;
  /** Sends a signal to the lab process itself, not to what it started. */
  kill(signal: NodeJS.Signals): void;
  ended: Promise<Ended>;
  /** Settles once its output, stdout and stderr in one, matches; rejects when it ends before. */
  shows(pattern: RegExp): Promise<void>;
}

/** The `lab` command with a state folder of its own, as a user would type it. */
export interface Lab {
  (...words: string[]): Promise<Ended>;
  start(words: string[], env?: Record<string, string>): Running;
  state: string;
}

/** Does something with labs of one's own; every one of them is destroyed afterwards, whatever happened. */
export async function withLabs(test: (lab: Lab) => Promise<void>): Promise<void> {
  const state = await mkdtemp(join(tmpdir(), 'handwired-test-'));
  const start: Lab['start'] = (words, env = {}) => startLab(words, { XDG_STATE_HOME: state, ...env });
  const lab = Object.assign((...words: string[]) => start(words).ended, { start, state });
  try {
    await test(lab);
  } finally {
    const { code, stderr } = await lab('destroy', '--all');
    await rm(state, { recursive: true, force: true });
    if (code !== 0) throw new Error(`labs are left: ${stderr}`);
  }
}

function startLab(words: string[], env: Record<string, string>): Running {
  const child = spawn(labCommand, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const text = { stdout: '', stderr: '' };
  const seen = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
      for (const look of seen) look();
    });
  }
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...text }));
  const shows = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (pattern.test(text.stdout + text.stderr)) resolve();
      };
      seen.add(look);
      look();
      void ended.then(() =>
        reject(new Error(`ended before it showed ${String(pattern)}: ${text.stdout}${text.stderr}`)),
      );
    });
  return { pid: child.pid ?? 0, kill: (signal) => child.kill(signal), ended, shows };
}
