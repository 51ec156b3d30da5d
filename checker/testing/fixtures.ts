import { existsSync, readFileSync } from 'node:fs';
import { type ChapterId, chapterIds, defaultPlan, type ExecResult, type OpenSeat } from '@handwired/host';
import { Evidence } from '../evidence/evidence.ts';
import { probes } from '../evidence/probes.ts';
import { parseFacts, Raw } from '../facts/parse.ts';
import { gradedChapters } from '../../labs/checks.ts';
import { listChecks } from '../queries/chapters.ts';
import type { Case, GradedChapter } from '../queries/check.ts';
import { emptyRecord, noteBegun } from '../record.ts';
import type { AgentProgram } from '../remote.ts';

/** Recorded from sandboxes by tests/sandbox/record-fixtures.ts. */
export const states = ['empty', 'right', 'seed', 'seed-cleaned', 'mixed'] as const;
export type State = (typeof states)[number];

interface Recorded {
  raw: Raw;
  evidence: Evidence;
}

/** A fresh copy of what was recorded, free to be altered: each on a lab host of its own, here as if all were one. */
export function recorded(state: State): Recorded {
  const { raw, evidence } = read(state);
  const world = read('empty').raw.world;
  for (const process of raw.processes) {
    if (process.inode === raw.world.inode && world.inode !== null) process.inode = world.inode;
  }
  return { raw: { ...raw, world }, evidence };
}

/** What was recorded, parsed once; a fresh copy for each caller. */
const read = once(parseRecorded);

/** The facts of a recorded state, parsed once; a fresh copy for each caller. */
const factsIn = once((state) => parseFacts(recorded(state).raw));

/** Calls a function once for each state, and gives a deep copy of its result each time. */
function once<T>(make: (state: State) => T): (state: State) => T {
  const made = new Map<State, T>();
  return (state) => {
    const value = made.get(state) ?? make(state);
    made.set(state, value);
    return structuredClone(value);
  };
}

function parseRecorded(state: State): Recorded {
  const file = new URL(`../fixtures/${state}.json`, import.meta.url);
  const { raw, evidence } = JSON.parse(readFileSync(file, 'utf8')) as { raw: unknown; evidence: object };
  const more = new URL(`../fixtures/copies-${state}.json`, import.meta.url);
  const copies: unknown = existsSync(more) ? JSON.parse(readFileSync(more, 'utf8')) : [];
  const parsed = Raw.parse(raw);
  // Several lab hosts, told as one that was started anew in between: they have worlds of their own.
  Object.assign(parsed.host, { boot: state });
  Object.assign(parsed.world, { authority: 'the same' });
  const known = Evidence.parse({ ...evidence, copies });
  // Experiments that the course got later: there was nobody to answer them.
  for (const id of Object.keys(probes)) known.results[id] ??= { ok: false, stage: 'connect', error: 'refused', ms: 0 };
  return { raw: parsed, evidence: known };
}

/** A recorded state as checks get it; the record knows that everything was begun. */
export function readCase(state: State): Case {
  const { evidence } = read(state);
  const record = emptyRecord();
  noteBegun(record, begunIds);
  return { facts: factsIn(state), evidence, baseline: factsIn('empty'), plan: defaultPlan, record };
}

/** One source's text in a recorded snapshot. */
export const readSource = (state: State, scope: string, name: string): string =>
  recorded(state).raw.sources[scope]?.[name]?.out ?? '';

/** Line `n` of what `ip -batch` or `bridge -batch` printed, as JSON. */
export const readLine = (state: State, scope: string, name: string, n: number): unknown =>
  JSON.parse(readSource(state, scope, name).split('\n')[n] ?? '');

/** The chapters of the network itself, which is what was recorded; the checks of others have tests of their own. */
export const network = chapterIds.slice(0, chapterIds.indexOf('publish') + 1);

/** The chapters that were built and cleaned away in what was recorded. */
const begunIds: ChapterId[] = [...network.filter((id) => id !== 'tour'), 'cleanup'];

/** Every check of the course. */
export const checks = listChecks(gradedChapters);

/** Every chapter of the course. */
export { gradedChapters };

/** What grades these chapters, with data of their own: a test does not change with the course's texts and points. */
export const chapters: GradedChapter[] = gradedChapters
  .filter(({ id }) => begunIds.includes(id))
  .map((chapter, n) => ({
    ...chapter,
    number: String(n + 1).padStart(2, '0'),
    title: `About ${chapter.id}`,
    needs: [],
    points: 10,
  }));

/** A seat that answers each of the agent's programs with what `answer` makes of it, framed as the programs frame it. */
export function replaying(answer: (program: AgentProgram, parameters: unknown) => unknown): OpenSeat {
  return {
    exec: (_command, options) => {
      const { program, parameters } = JSON.parse(String(options?.input)) as Sent;
      const body = JSON.stringify(answer(program.replace('agent.', '') as AgentProgram, parameters));
      const { nonce } = parameters;
      return Promise.resolve(result(`${nonce} ${Buffer.byteLength(body)}\n${body}\n${nonce} end\n`));
    },
    stream: () => Promise.reject(new Error('not used')),
    viewPid: null,
    close: () => undefined,
  };
}

interface Sent {
  program: string;
  parameters: { nonce: string };
}

export const result = (stdout: string, code = 0, stderr = ''): ExecResult => ({ code, signal: null, stdout, stderr });
