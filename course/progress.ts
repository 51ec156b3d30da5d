import type { ChapterId, ChapterInfo, HistoryEvent } from '@handwired/host';

/** How far a learner is with one chapter. */
interface ChapterProgress extends Pick<ChapterInfo, 'id' | 'number' | 'title'> {
  /** `passed` once all its checks passed; a chapter without points passes when it is read or a later one is begun. */
  state: 'open' | 'begun' | 'passed';
  /** Our solution of it was run before it passed. */
  shown: boolean;
  /** Null: not graded yet. */
  points: { best: number; last: number } | null;
  of: number;
  attempts: number;
  /** Attempts that failed with hints of level 2 or 3, and the hints of its faults. */
  hints: number;
  /** Time between events that are no further apart than `idleMs`. */
  seconds: number;
  /** What its last grading said first, if that did not pass. */
  first: { id: string; title: string; actual: string } | null;
}

interface FaultProgress {
  id: string;
  injectedAt: string;
  /** Null: not submitted. */
  right: boolean | null;
  repaired: boolean | null;
  hints: number;
  seconds: number | null;
}

/** What a history adds up to. */
export interface Progress {
  chapters: ChapterProgress[];
  points: number;
  of: number;
  attempts: number;
  hints: number;
  seconds: number;
  faults: FaultProgress[];
  /** The first chapter that is not passed; null: all are. */
  current: ChapterId | null;
}

type EventOf<Kind extends HistoryEvent['kind']> = Extract<HistoryEvent, { kind: Kind }>;

/** A longer pause between two events does not count as work. */
const idleMs = 20 * 60 * 1000;

/** Adds up a learner's history. `chapters` are those of the course, in order. Pure. */
export function addUpProgress(history: readonly HistoryEvent[], chapters: readonly ChapterInfo[]): Progress {
  const faults = collectFaults(history);
  const times = spentTimes(history, chapters);
  const each = chapters.map(({ id, number, title, points }, at): ChapterProgress => {
    const checks = history.filter((event) => event.kind === 'check' && event.chapter === id) as EventOf<'check'>[];
    const last = checks.at(-1);
    const tried = checks.filter(({ verdict, hints }) => verdict !== 'pass' && hints > 1).length;
    const later = new Set(chapters.slice(at + 1).map((chapter) => chapter.id));
    const isPassed = points > 0 ? checks.some(({ verdict }) => verdict === 'pass') : wasRead(history, id, later);
    const isBegun = history.some((event) => chaptersIn(event).includes(id));
    return {
      id,
      number,
      title,
      of: points,
      state: isPassed ? 'passed' : isBegun ? 'begun' : 'open',
      shown: wasShown(history, id),
      points: bestAndLast(checks),
      attempts: checks.length,
      hints: tried + (id === faultChapter ? faults.reduce((sum, { hints }) => sum + hints, 0) : 0),
      seconds: Math.round((times.get(id) ?? 0) / 1000),
      first: last?.verdict === 'pass' ? null : (last?.first ?? null),
    };
  });
  const sum = (of: (chapter: ChapterProgress) => number): number => each.reduce((total, one) => total + of(one), 0);
  return {
    chapters: each,
    points: Math.round(sum(({ points }) => points?.best ?? 0) * 100) / 100,
    of: sum(({ of }) => of),
    attempts: sum(({ attempts }) => attempts),
    hints: sum(({ hints }) => hints),
    seconds: sum(({ seconds }) => seconds),
    faults,
    current: each.find(({ state }) => state !== 'passed')?.id ?? null,
  };
}

/** The chapter in which faults are looked for. */
const faultChapter: ChapterId = 'troubleshoot';

/** The chapters that an event is about. */
function chaptersIn(event: HistoryEvent): readonly ChapterId[] {
  if (event.kind === 'build') return event.chapters;
  if (event.kind === 'fault') return [faultChapter];
  return 'chapter' in event ? [event.chapter] : [];
}

/** Whether a chapter without points counts as passed: its guide was opened, or a later chapter was begun. */
const wasRead = (history: readonly HistoryEvent[], id: ChapterId, later: ReadonlySet<ChapterId>): boolean =>
  history.some(
    (event) => (event.kind === 'guide' && event.chapter === id) || chaptersIn(event).some((one) => later.has(one)),
  );

/** Our solution was run, and the chapter had not passed before. */
function wasShown(history: readonly HistoryEvent[], id: ChapterId): boolean {
  const built = history.findIndex((event) => event.kind === 'build' && event.chapters.includes(id));
  const passed = history.findIndex((e) => e.kind === 'check' && e.chapter === id && e.verdict === 'pass');
  return built >= 0 && (passed < 0 || built < passed);
}

function bestAndLast(checks: readonly EventOf<'check'>[]): ChapterProgress['points'] {
  const graded = checks.flatMap(({ points }) => points ?? []);
  return graded.length === 0 ? null : { best: Math.max(...graded), last: graded.at(-1) ?? 0 };
}

/** Each fault that was put in, as its last event has it, in the order of injection. */
function collectFaults(history: readonly HistoryEvent[]): FaultProgress[] {
  const last = new Map<string, FaultProgress>();
  for (const event of history) {
    if (event.kind !== 'fault') continue;
    const { id, injectedAt, right, repaired, hints, seconds } = event;
    // The id of a fault that is still looked for is not in the history.
    last.set(injectedAt, { id, injectedAt, right, repaired, hints, seconds });
  }
  return [...last.values()];
}

/** Milliseconds for each chapter. The time before an event goes to its chapter; of events at one moment, to the last chapter. */
function spentTimes(history: readonly HistoryEvent[], chapters: readonly ChapterInfo[]): Map<ChapterId, number> {
  const times = new Map<ChapterId, number>();
  let before: number | undefined;
  for (const [at, events] of Map.groupBy(history, (event) => event.at)) {
    const now = Date.parse(at);
    const spent = before === undefined ? 0 : now - before;
    const about = new Set(events.flatMap(chaptersIn));
    const last = chapters.findLast(({ id }) => about.has(id))?.id;
    if (last !== undefined && spent > 0 && spent <= idleMs) times.set(last, (times.get(last) ?? 0) + spent);
    if (!Number.isNaN(now)) before = now;
  }
  return times;
}
