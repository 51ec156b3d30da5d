import { randomBytes } from 'node:crypto';
import { stripVTControlCharacters } from 'node:util';
import type { RemoteProcess, Session } from '@handwired/host';

/** How a block of commands ended. */
export interface BlockEnd {
  /** Of the last command; undefined: they did not end in time, or they ended the shell. */
  status: number | undefined;
  /** Of the last command that failed, whichever it was; 0: none did. */
  failed: number;
  /** What the terminal showed, without what drives it. */
  output: string;
  /** Why there is no status. */
  trouble?: string;
}

/** One root shell on a lab host, as a learner has it by `lab ssh`: what is set, started or entered stays so. */
export interface RootShell {
  /** Types a block of commands and waits until they have ended. Given up at the deadline: Ctrl-C, then hang up. */
  type(block: string, ms: number): Promise<BlockEnd>;
  readonly closed: boolean;
  close(): Promise<void>;
}

/** A guide's commands print less than this. */
const MOST_CHARACTERS = 1024 * 1024;
const START_MS = 30_000;
const INTERRUPT_MS = 3000;

/**
 * bash on a terminal: programs there print what they print to people (no progress meters, lines as they come). The line
 * editor is off, for it would take tabs as its own; so is echo. ERR tells of a command that fails before the last one.
 */
const setUp = ` stty -echo -onlcr; PS1= PS2= PROMPT_COMMAND= guide_failed=0; unset HISTFILE; trap 'guide_failed=$?' ERR`;

export async function openRootShell(session: Session): Promise<RootShell> {
  const pty = { rows: 50, columns: 160, term: 'dumb' };
  const remote = await session.stream('exec bash --noediting -l', { pty });
  const screen = follow(remote);
  // In two words, so that the echo of what is typed is not taken for the answer.
  const nonce = randomBytes(8).toString('hex');
  const mark = (count: number, statuses: string): string =>
    `printf '\\n%s%s %s %s %s\\n' ${nonce.slice(0, 8)} ${nonce.slice(8)} ${count} ${statuses}`;
  const end = (count: number): RegExp => new RegExp(`\\n?${nonce} ${count} (\\d+) (\\d+)\\n`);
  let count = 0;

  async function type(block: string, ms: number): Promise<BlockEnd> {
    // `eval` runs it in the shell itself; its lines, each short enough for a terminal, stay lines.
    const eaten = `eval '${block.replaceAll("'", `'\\''`)}'`;
    count += 1;
    remote.stdin.write(` guide_failed=0; ${eaten}; ${mark(count, '"$?" "$guide_failed"')}\n`);
    const answer = await screen.until(end(count), ms);
    if (answer) return { status: Number(answer.groups[0]), failed: Number(answer.groups[1]), output: answer.before };
    if (screen.closed) return gaveNone('the shell has ended');
    const output = screen.take();
    if (!(await interrupted())) await remote.close();
    return {
      status: undefined,
      failed: 0,
      output: output + screen.take(),
      trouble: `it did not end in ${ms / 1000} s`,
    };
  }
  /** bash drops the rest of the line with what was interrupted, the mark too, and at times what is typed right then. */
  async function interrupted(): Promise<boolean> {
    remote.stdin.write('\x03');
    for (const until = Date.now() + INTERRUPT_MS; Date.now() < until; ) {
      count += 1;
      remote.stdin.write(` ${mark(count, '130 130')}\n`);
      if (await screen.until(end(count), INTERRUPT_MS / 10)) return true;
    }
    return false;
  }
  const gaveNone = (trouble: string): BlockEnd => ({ status: undefined, failed: 0, output: screen.take(), trouble });

  remote.stdin.write(`${setUp}; ${mark(count, '0 0')}\n`);
  if (!(await screen.until(end(count), START_MS))) throw new Error(`no shell on the lab host: ${screen.take()}`);
  return {
    type,
    close: () => remote.close(),
    get closed() {
      return screen.closed;
    },
  };
}

interface Screen {
  /** Waits for a pattern; what came before it is taken off, with it. undefined: not in time, or the end came first. */
  until(pattern: RegExp, ms: number): Promise<{ before: string; groups: string[] } | undefined>;
  /** Takes all that is there. */
  take(): string;
  readonly closed: boolean;
}

/** What a remote terminal shows, as text. */
function follow(remote: RemoteProcess): Screen {
  const state = { text: '', closed: false, look: (): void => undefined };
  const decoder = new TextDecoder();
  remote.stdout.on('data', (chunk: Buffer) => {
    state.text = (state.text + decoder.decode(chunk, { stream: true })).slice(-MOST_CHARACTERS);
    state.look();
  });
  const close = (): void => {
    state.closed = true;
    state.look();
  };
  remote.ended.then(close, close);
  const until: Screen['until'] = (pattern, ms) => {
    const { promise, resolve } = Promise.withResolvers<{ before: string; groups: string[] } | undefined>();
    const timer = setTimeout(() => resolve(undefined), ms);
    state.look = () => {
      const found = pattern.exec(state.text.replaceAll('\r\n', '\n'));
      if (found) {
        const whole = state.text.replaceAll('\r\n', '\n');
        state.text = whole.slice(found.index + found[0].length);
        resolve({ before: shown(whole.slice(0, found.index)), groups: found.slice(1) });
      } else if (state.closed) resolve(undefined);
    };
    state.look();
    return promise.finally(() => {
      clearTimeout(timer);
      state.look = () => undefined;
    });
  };
  const take = (): string => {
    const { text } = state;
    state.text = '';
    return shown(text);
  };
  return {
    until,
    take,
    get closed() {
      return state.closed;
    },
  };
}

/** What bash says of jobs comes when it likes, with numbers of its own: it is no part of what one should see. */
const jobLine = /^\[\d+\][-+]? +(\d+|Done|Running|Terminated|Killed|Interrupt|Hangup|Stopped|Exit \d+).*$/;

/** Lines as they stand on the screen at last: what a carriage return wrote over is gone. */
const shown = (text: string): string =>
  stripVTControlCharacters(text)
    .split('\n')
    .map((line) => line.replace(/\r+$/, '').split('\r').at(-1) ?? '')
    .filter((line) => !jobLine.test(line))
    .join('\n');
