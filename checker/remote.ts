import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { LabError, type OpenSeat } from '@handwired/host';

/** Reads P (one line of JSON) and then the program from stdin, so that neither passes through a shell. */
const loader = 'import sys,json;P=json.loads(sys.stdin.readline());exec(compile(sys.stdin.read(),"handwired","exec"))';

/** An empty environment, an absolute path, no site packages, no bytecode written: python3(1) -I -S -B. */
const command = [
  '/usr/bin/env',
  '-i',
  'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
  'LC_ALL=C.UTF-8',
  '/usr/bin/python3',
  '-ISB',
  '-c',
  loader,
];

export interface RemoteProgram {
  /** A folder whose .py files, in the order of their names and after those of program/, are one program. Ends with `/`. */
  folder: URL;
  parameters: Record<string, unknown>;
  timeoutMs: number;
  /** Bytes of its answer. */
  maxBytes: number;
  signal?: AbortSignal | undefined;
}

/** What all programs begin with. */
const shared = new URL('program/', import.meta.url);

/**
 * Runs one of our Python programs at the grader's seat, in one round trip, and returns the JSON that it framed.
 * Throws LabError when there is no whole frame: the connection's end, no python3, a crash, or somebody else's text.
 */
export async function runRemote(seat: OpenSeat, program: RemoteProgram): Promise<unknown> {
  const nonce = randomBytes(12).toString('hex');
  const text = (await Promise.all([shared, program.folder].map(textOf))).join('\n\n');
  const answer = await seat.exec(command, {
    input: `${JSON.stringify({ ...program.parameters, view: seat.viewPid ?? 0, nonce })}\n${text}`,
    timeoutMs: program.timeoutMs,
    maxBytes: program.maxBytes,
    ...(program.signal ? { signal: program.signal } : {}),
  });
  const body = unframe(answer.stdout, nonce);
  if (body !== undefined) return body;
  const said = (answer.stderr.trim().split('\n').at(-1) ?? '').slice(0, 200);
  throw new LabError({
    what:
      answer.code === 127
        ? 'there is no /usr/bin/python3, which the checker needs'
        : `the lab host sent no whole answer (exit ${answer.code ?? answer.signal ?? 'none'}${said ? `: ${said}` : ''})`,
    where: program.folder.pathname.split('/').slice(-3).join('/'),
    next: 'lab reset',
  });
}

/** What comes without a line's end is not kept beyond this: a packet is at most 64 KiB, told in base64. */
const longestLine = 96 << 10;

/**
 * Starts one of our programs that run on at the seat, and calls `onLine` with each line that begins with its nonce, without it.
 * `ended` settles with its last words when it has ended or the connection is lost.
 */
export async function streamRemote(
  seat: OpenSeat,
  folder: URL,
  parameters: Record<string, unknown>,
  onLine: (line: string) => void,
): Promise<{ ended: Promise<string>; close(): void }> {
  const nonce = randomBytes(12).toString('hex');
  const program = (await Promise.all([shared, folder].map(textOf))).join('\n\n');
  const { stdout, lastWords, close } = await seat.stream(
    command,
    `${JSON.stringify({ ...parameters, view: seat.viewPid ?? 0, nonce })}\n${program}`,
  );
  const follow = async (): Promise<string> => {
    let rest = '';
    for await (const chunk of stdout) {
      const lines = `${rest}${String(chunk)}`.split('\n');
      rest = (lines.pop() ?? '').slice(0, longestLine);
      for (const line of lines) if (line.startsWith(`${nonce} `)) onLine(line.slice(nonce.length + 1));
    }
    return ((await lastWords()).trim().split('\n').at(-1) ?? '').slice(0, 200);
  };
  return { ended: follow(), close };
}

async function textOf(folder: URL): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.py')).sort();
  return (await Promise.all(names.map((name) => readFile(new URL(name, folder), 'utf8')))).join('\n\n');
}

/** The JSON between the line `NONCE LENGTH` and the line `NONCE end`; undefined when it is not there or not whole. */
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
