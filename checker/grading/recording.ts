import { EXIT, LabError, Plan } from '@handwired/host';
import { z } from 'zod';
import { Evidence } from '../evidence/evidence.ts';
import { type ProbeId, probes } from '../evidence/probes.ts';
import { Facts } from '../facts/facts.ts';
import { findBegun, listChecks } from '../queries/chapters.ts';
import { chooseCopies } from '../queries/conditions.ts';
import { LabRecord } from '../record.ts';
import { asciiJson } from '../report/escape.ts';
import type { Report } from '../report/report.ts';
import {
  reportTrouble,
  digestCase,
  judgeCase,
  type Selection,
  waitUntilSettled,
  type Source,
  type Subject,
  takeEvidence,
  takeFacts,
} from './grade.ts';

/** Everything that is needed to grade a lab again without its lab host. */
export const Recording = z.object({
  schemaVersion: z.literal(1),
  lab: z.string().max(64),
  driver: z.enum(['vm', 'sandbox']),
  /** ISO 8601, by the clock of the machine that recorded it. */
  takenAt: z.string().max(40),
  facts: Facts,
  /** Results of all experiments; null: none were made. */
  evidence: Evidence.nullable(),
  baseline: Facts,
  plan: Plan,
  record: LabRecord,
  /** sha256 over the canonical JSON (RFC 8785) of facts, evidence, baseline, plan and record. It reveals damage and
   * accidental changes. It is not a signature: whoever changes a recording can also make a new digest. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Recording = z.infer<typeof Recording>;

/** Bytes. A larger file is not a recording: snapshot and evidence have lower limits. */
export const mostBytes = 48 << 20;

/**
 * Takes a recording: one round trip for the facts and, unless `evidence` is false, one for all experiments.
 * Throws LabError when the lab host's answer is missing or incomplete.
 */
export async function recordLab(source: Source, subject: Subject, { evidence = true } = {}): Promise<Recording> {
  const { chapters, baseline, plan, record } = source;
  let facts = await takeFacts(source);
  if (findBegun(chapters, { facts, baseline, plan, record }).includes('cleanup'))
    facts = await waitUntilSettled(facts, source);
  const all = new Set(Object.keys(probes) as ProbeId[]);
  const copies = chooseCopies(listChecks(chapters), { facts, baseline });
  const seen = { facts, evidence: evidence ? await takeEvidence(all, source, copies) : null, baseline, plan, record };
  return { schemaVersion: 1, ...subject, takenAt: new Date().toISOString(), ...seen, digest: digestCase(seen) };
}

/** Does the recording match its digest? */
export const isWhole = (recording: Recording): boolean => digestCase(recording) === recording.digest;

/** Grades a recording like its lab host. A recording that does not match its digest is an error and is not graded. */
export function regradeRecording(recording: Recording, selection: Selection): Report {
  const { lab, driver } = recording;
  const subject = { lab, driver };
  if (isWhole(recording)) return judgeCase(recording, selection, subject);
  const altered = new LabError({
    what: 'the recording was altered: it is not what its digest says',
    next: 'lab facts -o json',
  });
  return reportTrouble(recording, altered, selection, subject);
}

const Head = z.object({ schemaVersion: z.unknown(), facts: z.object({ schemaVersion: z.unknown() }).nullish() });

/**
 * Parses a recording. `where` names it in errors.
 * Throws LabError when it is too large, not JSON, of another version, or of another shape.
 */
export function readRecording(text: string, where: string): Recording {
  const wrong = (what: string): LabError =>
    new LabError({ what, where, next: 'lab facts -o json > FILE', exit: EXIT.fault });
  if (text.length > mostBytes) throw wrong(`that is no recording: it is larger than ${mostBytes >> 20} MiB`);
  const json = parse(text);
  const head = Head.safeParse(json);
  if (!head.success) throw wrong('that is no recording: it is not the JSON that lab facts prints');
  const version = [head.data.schemaVersion, head.data.facts?.schemaVersion];
  const known = [Recording.shape.schemaVersion.value, Facts.shape.schemaVersion.value];
  if (version[0] !== known[0] || version[1] !== known[1]) {
    const [has, wants] = [version, known].map((pair) => pair.map(shown).join(' with facts of '));
    throw wrong(`that recording is of schema version ${has ?? ''}; this lab reads ${wants ?? ''}`);
  }
  const parsed = Recording.safeParse(json);
  if (parsed.success) return parsed.data;
  throw wrong(`that is no whole recording: ${parsed.error.issues[0]?.path.join('.') ?? ''} is not what it should be`);
}

const shown = (version: unknown): string => (typeof version === 'number' ? String(version) : 'none');

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A recording as `lab facts -o json` prints it. */
export const renderRecording = (recording: Recording): string => asciiJson(recording);
