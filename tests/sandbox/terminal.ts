import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { labCommand } from '../lab.ts';

/** How a program on a terminal ended; see on-terminal.py. */
interface TerminalEnd {
  /** Negative: the number of the signal that ended it. */
  code: number;
  raw: boolean;
  restored: boolean;
}

/** A program that hangs is ended after it, in ms, and fails its test. */
const limit = 300_000;

/** The `lab` command on a terminal of 31 rows and 97 columns, as a user sees it. */
export interface Terminal {
  /** Types. */
  send(keys: string): void;
  resize(rows: number, columns: number): void;
  signal(number: number): void;
  /** Waits until the terminal shows the pattern. Looks only at output after the previous match. */
  shows(pattern: RegExp): Promise<string>;
  ended: Promise<TerminalEnd>;
}

export function onTerminal(words: string[], env: Record<string, string>): Terminal {
  const child = spawn('python3', [join(import.meta.dirname, 'on-terminal.py'), labCommand, ...words], {
    stdio: 'pipe',
    env: { ...process.env, TERM: 'xterm', ...env },
    timeout: limit,
  });
  const order = (what: object): void => void child.stdin.write(`${JSON.stringify(what)}\n`);
  let text = '';
  let report = '';
  let look: () => void = () => undefined;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    look();
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (report += chunk));
  const ended = once(child, 'close').then(() => {
    if (report === '')
      throw new Error(`did not end in ${limit / 60_000} minutes; after its last match it showed: ${text}`);
    return JSON.parse(report) as TerminalEnd;
  });
  const shows = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      look = () => {
        const found = pattern.exec(text);
        if (!found) return;
        look = () => undefined;
        text = text.slice(found.index + found[0].length);
        resolve(found[0]);
      };
      look();
      ended.then(() => reject(new Error(`ended before it showed ${String(pattern)}: ${text}`)), reject);
    });
  return {
    send: (keys) => order({ send: keys }),
    resize: (rows, columns) => order({ size: [rows, columns] }),
    signal: (number) => order({ signal: number }),
    shows,
    ended,
  };
}
