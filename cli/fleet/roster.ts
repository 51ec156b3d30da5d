import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { EXIT, LabError, labNamePattern, messageOf, quote } from '@handwired/host';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';

export interface Student {
  /** As the roster has it. */
  student: string;
  /** The lab's name, made from the prefix and the student. */
  lab: string;
  /** Line in the roster, from 1. */
  line: number;
}

/** The field as it comes: a name or id of up to 128 printable characters. */
const StudentId = z
  .string()
  .trim()
  .min(1, 'the student is empty')
  .max(128, 'the student is longer than 128 characters')
  .regex(/^[^\p{Cc}\p{Cf}]*$/u, 'the student has control characters');

/** Bytes of roster that are read at most: some 10 000 students. */
const maxBytes = 1024 * 1024;

/** Reads a roster: CSV (RFC 4180) with a header that has a `student` column; others are ignored. */
export async function loadRoster(file: string, prefix: string): Promise<Student[]> {
  const bytes = await firstBytes(file).catch((cause: unknown) => {
    const absent = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const what = `cannot read the roster: ${messageOf(cause)}`;
    throw rosterError(what, file, absent ? `printf 'student\\nann\\nben\\n' > ${quote(file)}` : undefined);
  });
  if (bytes.length > maxBytes) throw rosterError('the roster is larger than 1 MiB', file);
  return parseRoster(decoded(bytes, file), file, prefix);
}

/** No more than is needed to see that there is too much. */
async function firstBytes(file: string): Promise<Uint8Array> {
  const handle = await open(file);
  return buffer(handle.createReadStream({ end: maxBytes }));
}

/** A name that is read in the wrong encoding would stand wrong in the gradebook, and make another lab. */
function decoded(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw rosterError(
      'the roster is not UTF-8 text',
      file,
      `file ${quote(file)}   (then iconv -t UTF-8 from what it is)`,
    );
  }
}

/** The students of a roster's text. All that is wrong with it is told at once, with line numbers. */
export function parseRoster(text: string, file: string, prefix: string): Student[] {
  const records = readRecords(text, file);
  const [head] = records;
  const column = head?.fields.findIndex((name) => name.toLowerCase() === 'student') ?? -1;
  if (column < 0) {
    const has = head ? `; it is: ${head.fields.join(', ').slice(0, 80)}` : '';
    throw rosterError(`line 1: the header has no column named student${has}`, file);
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
    const student: Student = { student: parsed.data, lab: labOf(parsed.data, prefix), line };
    const before = taken.get(student.lab);
    if (before) problems.push(`line ${line}: ${student.student} is there already, in line ${before.line}`);
    else students.push(student);
    taken.set(student.lab, student);
  }
  if (problems.length > 0) throw rosterError(problems.join('; '), file);
  if (students.length === 0) throw rosterError('the roster has no students', file);
  return students;
}

interface Row {
  fields: string[];
  line: number;
}

function readRecords(text: string, file: string): Row[] {
  try {
    const options = { bom: true, trim: true, skip_empty_lines: true, info: true, relax_column_count: true } as const;
    const rows = parse(text, options) as unknown as { record: string[]; info: { lines: number } }[];
    return rows.map(({ record, info }) => ({ fields: record, line: info.lines }));
  } catch (error) {
    throw rosterError(`not CSV: ${messageOf(error).slice(0, 120)}`, file);
  }
}

/** The next command must never write to a roster that is there. */
function rosterError(what: string, file: string, next?: string): LabError {
  const look = `head -n 5 ${quote(file)}   (CSV, its first line names the columns, one of them student)`;
  return new LabError({ what, where: file, next: next ?? look, exit: EXIT.config });
}

/**
 * A student's lab name: `fleet-ann`. What a DNS label can't hold is dropped, and then the start of the id's SHA-256
 * is put behind it, so that `Ann Lee` and `ann.lee` get labs of their own whatever else the roster holds.
 */
export function labOf(student: string, prefix: string): string {
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
