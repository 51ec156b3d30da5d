/**
 * Access to a lab that exists: its lock, the two connections to its lab host, its baseline and record, and its
 * history.
 */
import { createReadStream } from 'node:fs';
import type { Recording, Report, Source } from '@handwired/checker';
import {
  baselineFile,
  connect,
  type Endpoint,
  EXIT,
  hasCode,
  labDir,
  LabError,
  loadEndpoint,
  loadSpec,
  type LabSpec,
  readMessage,
  type NewEvent,
  noteHistory,
  type OpenSeat,
  openSeat,
  recordFile,
  type Session,
  underLock,
} from '@handwired/host';
import type { Context } from '../command.ts';

// Functions that need the checker import it when they are called: `lab up`, `lab destroy` and `lab guide` often need none.

/**
 * Does work while no other `lab` command works on the same lab; waits for one that does. A lab of that name in another
 * state folder is another lab.
 */
export function withLock<T>(name: string, context: Context, work: () => Promise<T>): Promise<T> {
  const onWait = (): void => context.progress.note(`another lab command is at work on ${name}; waiting for it to end`);
  return underLock(`lab ${labDir(name)}`, { signal: context.signal, onWait }, work);
}

/** A lab with an ssh session to its lab host, which is the learner's way in. */
export interface LabSession {
  spec: LabSpec;
  session: Session;
}

/** A lab with an open seat on its lab host, which is the grader's way in. */
export interface LabSeat {
  spec: LabSpec;
  seat: OpenSeat;
}

/** Opens an ssh session to a ready lab for the length of some work. Throws LabError when its lab host does not answer. */
export async function withSession<T>(
  name: string,
  context: Context,
  work: (lab: LabSession) => Promise<T>,
): Promise<T> {
  const spec = await loadSpec(name);
  const session = await openEndpoint(name, (endpoint) => connect(endpoint, { signal: context.signal }));
  try {
    return await work({ spec, session });
  } finally {
    session.close();
  }
}

/** Opens the grader's seat on a ready lab's lab host for the length of some work. Throws LabError when it does not answer. */
export async function withSeat<T>(name: string, context: Context, work: (lab: LabSeat) => Promise<T>): Promise<T> {
  const spec = await loadSpec(name);
  const seat = await openEndpoint(name, (endpoint) => openSeat(endpoint, { signal: context.signal }));
  try {
    return await work({ spec, seat });
  } finally {
    seat.close();
  }
}

/**
 * Opens a connection to a ready lab. If the lab host does not answer, the error's next command is `lab up`, which
 * repairs it.
 */
async function openEndpoint<T>(name: string, open: (endpoint: Endpoint) => Promise<T>): Promise<T> {
  const endpoint = await loadEndpoint(name);
  return open(endpoint).catch((error: unknown) => {
    if (!hasCode(error, 'unreachable')) throw error;
    throw new LabError({ what: error.message, where: error.where ?? name, next: `lab up ${name}`, cause: error });
  });
}

/** What the checker needs of a lab: its open seat, plan, baseline and record. */
export type LabSource = Source & { spec: LabSpec };

/**
 * Looks at a lab: holds its lock, opens the grader's seat, and gives `work` what the checker needs. Keeps what `work`
 * notes in the record.
 */
export const withSource = <T>(name: string, context: Context, work: (source: LabSource) => Promise<T>): Promise<T> =>
  withLock(name, context, () => withSeat(name, context, (lab) => withSourceAt(lab, context, work)));

/** The same at a seat that is open. The caller holds the lab's lock. */
export async function withSourceAt<T>(
  { spec, seat }: LabSeat,
  context: Context,
  work: (source: LabSource) => Promise<T>,
): Promise<T> {
  const { name, plan } = spec;
  const { signal } = context;
  const { loadFacts, loadRecord, saveRecord } = await import('@handwired/checker');
  const { gradedChapters: chapters } = await import('@handwired/labs/checks');
  const baseline = await loadFacts(baselineFile(name));
  if (!baseline) {
    throw new LabError({ what: `lab ${name} has no baseline`, where: baselineFile(name), next: `lab reset ${name}` });
  }
  const record = await loadRecord(recordFile(name));
  const result = await work({ seat, chapters, plan, baseline, record, signal, spec });
  await keepIfPossible(context, saveRecord(recordFile(name), record));
  return result;
}

/** Waits for something to be written that the command can do without. If that fails, a line says so and what helps. */
async function keepIfPossible({ progress }: Context, written: Promise<void>): Promise<void> {
  await written.catch((error: unknown) => {
    if (!(error instanceof LabError)) throw error;
    progress.note(`this is not kept for later: ${error.message}; next: ${error.next}`);
  });
}

/**
 * Reads what `lab facts -o json` printed from a file, or with `-` from stdin; never more than a recording can have.
 * Throws LabError: no such file (78), no recording (3).
 */
export async function loadRecording(file: string): Promise<Recording> {
  const { mostBytes, readRecording } = await import('@handwired/checker');
  const where = file === '-' ? 'stdin' : file;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > mostBytes) break;
    }
  } catch (error) {
    const what = `cannot read the recording: ${readMessage(error)}`;
    throw new LabError({ what, where, next: 'lab facts -o json > FILE', exit: EXIT.config });
  }
  return readRecording(Buffer.concat(chunks).toString('utf8'), where);
}

/** Adds events to a lab's history. If that fails, a line says so and the command goes on. */
export async function rememberEvents(name: string, context: Context, ...events: NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  await keepIfPossible(context, noteHistory(name, ...events));
}

/**
 * Keeps the result of a grading, chapter by chapter. `before`: an earlier report of the same command; then only the
 * chapters with another result are kept.
 */
export async function rememberReport(name: string, report: Report, context: Context, before?: Report): Promise<void> {
  const old = new Set(before === undefined ? [] : toEvents(before).map((event) => JSON.stringify(event)));
  await rememberEvents(name, context, ...toEvents(report).filter((event) => !old.has(JSON.stringify(event))));
}

function toEvents({ summary, checks, hints }: Report): NewEvent[] {
  return summary.chapters.map(({ id, verdict, points, of }) => {
    const first = checks.find((check) => check.chapter === id && check.verdict !== 'pass');
    return {
      kind: 'check',
      chapter: id,
      verdict,
      points,
      of,
      hints,
      first: first
        ? { id: cutText(first.id), title: cutText(first.title), actual: cutText(first.because ?? first.actual) }
        : null,
    };
  });
}

/** Cuts a text to the length that a history keeps. */
const cutText = (text: string): string => text.slice(0, 300);
