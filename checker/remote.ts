import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { LabError, type OpenSeat } from '@handwired/host';

/** The programs of the Python package `agent`: each is a module with a function `main(parameters)`. */
export type AgentProgram = 'facts' | 'experiments' | 'trace' | 'capture' | 'watch';

/** The folder of the package. */
const agent = new URL('../agent/', import.meta.url);

/** A module's imports of others: `from agent.NAME import ...` or `from agent import NAME [as SHORT], ...`. */
const imports = /^\s*from agent(?:\.(\w+) import| import ([\w, ]+)$)/gm;

/**
 * The sources of a program by Python module name: `agent`, the program's module and the modules of `agent` that it
 * imports. Python's standard library comes from the lab host.
 */
export async function readAgent(program: AgentProgram): Promise<Record<string, string>> {
  const sources: Record<string, string> = { agent: await readFile(new URL('__init__.py', agent), 'utf8') };
  const add = async (module: string): Promise<void> => {
    const name = `agent.${module}`;
    if (name in sources) return;
    sources[name] = '';
    const source = await readFile(new URL(`${module}.py`, agent), 'utf8');
    sources[name] = source;
    for (const [, from, whole = ''] of source.matchAll(imports)) {
      const names = from === undefined ? whole.split(',').map((word) => word.trim().split(' ')[0] ?? '') : [from];
      for (const imported of names) await add(imported);
    }
  };
  await add(program);
  return sources;
}

/**
 * Starts python3 by absolute path, with an empty environment, no site packages and no bytecode: python3(1) -I -S -B.
 */
const python = [
  '/usr/bin/env',
  '-i',
  'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
  'LC_ALL=C.UTF-8',
  '/usr/bin/python3',
  '-ISB',
  '-c',
];

/** What starts a program: its argv, the line for its stdin, and the nonce that marks its output. */
async function prepare(
  seat: OpenSeat,
  program: AgentProgram,
  parameters: Record<string, unknown>,
): Promise<{ argv: string[]; input: string; nonce: string }> {
  const nonce = randomBytes(12).toString('hex');
  const sent = {
    program: `agent.${program}`,
    parameters: { ...parameters, view: seat.viewPid ?? 0, nonce },
    modules: await readAgent(program),
  };
  const loader = await readFile(new URL('loader.py', agent), 'utf8');
  return { argv: [...python, loader], input: `${JSON.stringify(sent)}\n`, nonce };
}

/** A program that answers once. */
export interface RemoteProgram {
  program: AgentProgram;
  parameters: Record<string, unknown>;
  timeoutMs: number;
  /** The answer may have at most this many bytes. */
  maxBytes: number;
  signal?: AbortSignal | undefined;
}

/**
 * Runs one of the agent's programs at the grader's seat, in one round trip, and returns the JSON that it framed.
 * Throws LabError when there is no complete frame: a lost connection, no python3, a crash, or foreign text.
 */
export async function runRemote(
  seat: OpenSeat,
  { program, parameters, timeoutMs, maxBytes, signal }: RemoteProgram,
): Promise<unknown> {
  const { argv, input, nonce } = await prepare(seat, program, parameters);
  const answer = await seat.exec(argv, { input, timeoutMs, maxBytes, ...(signal ? { signal } : {}) });
  const body = unframe(answer.stdout, nonce);
  if (body !== undefined) return body;
  const said = lastLine(answer.stderr);
  throw new LabError({
    what:
      answer.code === 127
        ? 'there is no /usr/bin/python3, which the checker needs'
        : `the lab host sent no whole answer (exit ${answer.code ?? answer.signal ?? 'none'}${said ? `: ${said}` : ''})`,
    where: `agent/${program}.py`,
    next: 'lab reset',
  });
}

/** Bytes. An unfinished line longer than this is not kept. A packet has at most 64 KiB, sent in base64. */
const longestLine = 96 << 10;

/**
 * Starts a long-running program of the agent. Calls `onLine` with each line that begins with the nonce, without the
 * nonce. `ended` settles with the program's last line on stderr when the program ended or the connection was lost.
 */
export async function streamRemote(
  seat: OpenSeat,
  program: AgentProgram,
  parameters: Record<string, unknown>,
  onLine: (line: string) => void,
): Promise<{ ended: Promise<string>; close(): void }> {
  const { argv, input, nonce } = await prepare(seat, program, parameters);
  const { stdout, lastWords, close } = await seat.stream(argv, input);
  const follow = async (): Promise<string> => {
    let rest = '';
    for await (const chunk of stdout) {
      const lines = `${rest}${String(chunk)}`.split('\n');
      rest = (lines.pop() ?? '').slice(0, longestLine);
      for (const line of lines) if (line.startsWith(`${nonce} `)) onLine(line.slice(nonce.length + 1));
    }
    return lastLine(await lastWords());
  };
  return { ended: follow(), close };
}

/** The last line of a program's stderr, cut to 200 characters. */
const lastLine = (text: string): string => (text.trim().split('\n').at(-1) ?? '').slice(0, 200);

/** The JSON between the lines `NONCE LENGTH` and `NONCE end`; undefined: it is missing or incomplete. */
export function unframe(output: string, nonce: string): unknown {
  const start = new RegExp(`^${nonce} (\\d+)\\n`, 'm').exec(output);
  if (!start) return undefined;
  const rest = Buffer.from(output.slice(start.index + start[0].length));
  const length = Number(start[1]);
  if (!rest.subarray(length).toString().startsWith(`\n${nonce} end\n`)) return undefined;
  try {
    return JSON.parse(rest.subarray(0, length).toString());
  } catch {
    return undefined;
  }
}
