/** A roster of students: how it is read, how work is done on each student's lab, and how the outcomes are shown. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { buffer } from 'node:stream/consumers';
import { renderCsvTable } from '@handwired/checker';
import {
  type DriverName,
  EXIT,
  LabError,
  labNamePattern,
  readMessage,
  type Progress,
  quote,
  readFreeMemoryMiB,
} from '@handwired/host';
import { Option, type Command } from 'commander';
import { parse } from 'csv-parse/sync';
import pLimit from 'p-limit';
import { z } from 'zod';
import { type Context, createOutputOption, createNumberParser } from '../command.ts';
import { renderTable } from '../text.ts';

/** The flags of every fleet command. */
export interface FleetOptions {
  /** The start of each lab's name. */
  prefix: string;
  output: Format;
  /** How many labs at once, in place of what memory and cores allow. */
  jobs?: number;
}

type Format = 'table' | 'csv' | 'json';

const defaultPrefix = 'fleet';

/** Adds `<roster>` and the flags of every fleet command. */
export const addFleetOptions = (command: Command): Command =>
  command
    .argument('<roster>', 'a CSV file with a column named student')
    .addOption(
      new Option('--prefix <word>', "first part of each lab's name").default(defaultPrefix).argParser(parsePrefix),
    )
    .addOption(createOutputOption<Format>('table', 'csv', 'json'))
    .option(
      '--jobs <n>',
      'how many labs to work on at once (default: as memory and cores allow)',
      createNumberParser('--jobs', 1, 256, 'lab fleet --help'),
    );

/**
 * Parses `--prefix`. It is at most 16 characters long, which leaves room for the student in a lab's name of 32
 * characters.
 */
function parsePrefix(word: string): string {
  if (labNamePattern.test(word) && word.length <= 16) return word;
  throw new LabError({
    what: `--prefix wants 1-16 characters a-z, 0-9 and -, not '${word.slice(0, 40)}'`,
    next: 'lab fleet up roster.csv',
    exit: EXIT.usage,
  });
}

/** A fleet command as a user types it. `word` is `up` or `grade`, for example. */
export const renderFleetCommand = (word: string, file: string, { prefix }: FleetOptions): string =>
  `lab fleet ${word} ${quote(file)}${prefix === defaultPrefix ? '' : ` --prefix ${prefix}`}`;

/** One line of a roster. */
export interface Student {
  /** As the roster has it. */
  student: string;
  /** The lab's name, made from the prefix and the student. */
  lab: string;
  /** Line in the roster, from 1. */
  line: number;
}

/** A student's name or id: 1-128 printable characters. */
const StudentId = z
  .string()
  .trim()
  .min(1, 'the student is empty')
  .max(128, 'the student is longer than 128 characters')
  .regex(/^[^\p{Cc}\p{Cf}]*$/u, 'the student has control characters');

/** Bytes that a roster may have: enough for some 10 000 students. */
const MOST_BYTES = 1024 * 1024;

/**
 * Reads a roster: CSV (RFC 4180), UTF-8, with a header that has a `student` column; other columns are ignored. Throws
 * LabError (78) that names all that is wrong with it.
 */
export async function loadRoster(file: string, prefix: string): Promise<Student[]> {
  const bytes = await readStart(file).catch((cause: unknown) => {
    const absent = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const what = `cannot read the roster: ${readMessage(cause)}`;
    throw createRosterError(what, file, absent ? `printf 'student\\nann\\nben\\n' > ${quote(file)}` : undefined);
  });
  if (bytes.length > MOST_BYTES) throw createRosterError('the roster is larger than 1 MiB', file);
  return parseRoster(decodeText(bytes, file), file, prefix);
}

/** Reads one byte more than a roster may have, which is enough to see that a file is too large. */
async function readStart(file: string): Promise<Uint8Array> {
  const handle = await open(file);
  return buffer(handle.createReadStream({ end: MOST_BYTES }));
}

/** Text in another encoding is refused: a student's name would be wrong in the gradebook and give another lab. */
function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw createRosterError(
      'the roster is not UTF-8 text',
      file,
      `file ${quote(file)}   (then iconv -t UTF-8 from what it is)`,
    );
  }
}

/** The students of a roster's text. Throws LabError (78) that names all that is wrong with it, with line numbers. */
export function parseRoster(text: string, file: string, prefix: string): Student[] {
  const records = readRecords(text, file);
  const [head] = records;
  const column = head?.fields.findIndex((name) => name.toLowerCase() === 'student') ?? -1;
  if (column < 0) {
    const has = head ? `; it is: ${head.fields.join(', ').slice(0, 80)}` : '';
    throw createRosterError(`line 1: the header has no column named student${has}`, file);
  }
  const problems: string[] = [];
  const students: Student[] = [];
  const taken = new Map<string, Student>();
  for (const { fields, line } of records.slice(1)) {
    const parsed = StudentId.safeParse(fields[column] ?? '');
    if (!parsed.success) {
      problems.push(`line ${line}: ${parsed.error.issues[0]?.message ?? 'not a student'}`);
      continue;
    }
    const student: Student = { student: parsed.data, lab: nameLab(parsed.data, prefix), line };
    const before = taken.get(student.lab);
    if (before) problems.push(`line ${line}: ${student.student} is there already, in line ${before.line}`);
    else students.push(student);
    taken.set(student.lab, student);
  }
  if (problems.length > 0) throw createRosterError(problems.join('; '), file);
  if (students.length === 0) throw createRosterError('the roster has no students', file);
  return students;
}

interface RosterLine {
  fields: string[];
  line: number;
}

function readRecords(text: string, file: string): RosterLine[] {
  try {
    const options = { bom: true, trim: true, skip_empty_lines: true, info: true, relax_column_count: true } as const;
    const rows = parse(text, options) as unknown as { record: string[]; info: { lines: number } }[];
    return rows.map(({ record, info }) => ({ fields: record, line: info.lines }));
  } catch (error) {
    throw createRosterError(`not CSV: ${readMessage(error).slice(0, 120)}`, file);
  }
}

/** `next` is by default a command that shows the roster. It must be one that changes no existing file. */
function createRosterError(what: string, file: string, next?: string): LabError {
  const look = `head -n 5 ${quote(file)}   (CSV, its first line names the columns, one of them student)`;
  return new LabError({ what, where: file, next: next ?? look, exit: EXIT.config });
}

/**
 * The name of a student's lab: `fleet-ann`. Characters that a DNS label can't hold are dropped; the start of the id's
 * SHA-256 is then added, so that `Ann Lee` and `ann.lee` get labs of their own whatever else the roster holds.
 */
export function nameLab(student: string, prefix: string): string {
  const plain = `${prefix}-${student}`;
  if (labNamePattern.test(plain)) return plain;
  const hash = createHash('sha256').update(student).digest('hex').slice(0, 6);
  const letters = student
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '');
  const room = 32 - prefix.length - hash.length - 2;
  const slug = letters.slice(0, room).replace(/-+$/, '');
  return [prefix, slug, hash].filter((part) => part !== '').join('-');
}

/** MiB that a lab host and the processes beside it take while it is brought up. */
const cost: Record<DriverName, (memoryMiB: number) => number> = {
  vm: (memoryMiB) => memoryMiB + 128,
  sandbox: () => 96,
};

/** Labs that a core can bring up at once: a booting VM keeps a core busy, a sandbox mostly waits. */
const perCore: Record<DriverName, number> = { vm: 1, sandbox: 2 };

/** How many labs to bring up at the same time: as many as memory (MiB) and cores allow, at least one. */
export function computeUpLimit(
  driver: DriverName,
  memoryMiB: number,
  machine: { cores: number; freeMiB: number },
): number {
  const byMemory = Math.floor((machine.freeMiB * 0.8) / cost[driver](memoryMiB));
  return Math.max(1, Math.min(byMemory, machine.cores * perCore[driver]));
}

/** How many labs to grade at the same time. Grading mostly waits for the network, and a session takes a few MiB. */
export const computeGradeLimit = (cores: number): number => cores * 4;

/** This machine now: the cores that this process may use, and its free memory in MiB. */
export async function measureMachine(): Promise<{ cores: number; freeMiB: number }> {
  return { cores: availableParallelism(), freeMiB: await readFreeMemoryMiB() };
}

/** What became of one student's lab: a value, or the error that stopped it. */
export type Outcome<T> = Student & ({ value: T } | { error: unknown });

/**
 * Does the same work for each student, at most `limit` at once. A failure is kept as that student's outcome and does not
 * harm the others; only an interruption ends it all.
 */
export async function forEachStudent<T>(
  students: readonly Student[],
  limit: number,
  context: Context,
  work: (student: Student, context: Context) => Promise<T>,
): Promise<Outcome<T>[]> {
  const queue = pLimit(limit);
  const outcomes = await Promise.all(
    students.map((student) =>
      queue(async (): Promise<Outcome<T>> => {
        context.signal.throwIfAborted();
        try {
          return { ...student, value: await work(student, prefixStages(context, student)) };
        } catch (error) {
          return { ...student, error };
        }
      }),
    ),
  );
  context.signal.throwIfAborted();
  return outcomes;
}

/** The same context, but with the lab's name before each stage and note. */
function prefixStages(context: Context, { lab }: Student): Context {
  const progress: Progress = {
    stage: (title, work) => context.progress.stage(`${lab}: ${title}`, work),
    note: (text) => context.progress.note(`${lab}: ${text}`),
  };
  return { ...context, progress };
}

/** Why a student's work failed, and the next command, on one line. */
export const describeError = (error: unknown): string =>
  error instanceof LabError ? `${readMessage(error)} (next: ${error.next})` : readMessage(error);

/** Prints one row for each student and returns the exit code. `describe`: the row's state and detail for a value. */
export function printOutcomes<T>(
  outcomes: readonly Outcome<T>[],
  describe: (value: T) => { state: string; detail: string },
  { output }: FleetOptions,
  context: Context,
): number {
  const rows = outcomes.map((outcome) => {
    const { student, lab } = outcome;
    if ('error' in outcome) return { student, lab, state: 'error', detail: describeError(outcome.error) };
    const { state, detail } = describe(outcome.value);
    return { student, lab, state, detail };
  });
  const cells = rows.map(({ student, lab, state, detail }) => [student, lab, state, detail]);
  context.print(renderStudents(rows, ['student', 'lab', 'state', 'detail'], cells, output));
  return outcomes.some((outcome) => 'error' in outcome) ? EXIT.fault : EXIT.ok;
}

/**
 * Rows of students: as JSON, or as a table or CSV of `cells` under `head`. In CSV a cell that a spreadsheet would run as a
 * formula is escaped.
 */
export function renderStudents(
  rows: readonly unknown[],
  head: readonly string[],
  cells: readonly (readonly string[])[],
  format: Format,
): string {
  if (format === 'json') return JSON.stringify({ schemaVersion: 1, students: rows }, null, 2);
  return format === 'table'
    ? renderTable(head, cells)
    : renderCsvTable([[...head], ...cells.map((row) => [...row])]).trimEnd();
}
