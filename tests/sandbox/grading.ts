import { readFile } from 'node:fs/promises';
import {
  type ChapterId,
  chapterIds,
  type Conditions,
  defaultPlan,
  type DriverName,
  type OpenSeat,
} from '@handwired/host';
import { gradedChapters as chapters } from '@handwired/labs/checks';
import {
  emptyRecord,
  type Facts,
  gradeSource,
  type HintLevel,
  observeFacts,
  type LabRecord,
  type Report,
} from '@handwired/checker';
import { type LabHost, withLabHost } from './lab-host.ts';

/** A lab host with its baseline, as the grader sees it. */
export interface Graded {
  host: Pick<LabHost, 'session' | 'seat' | 'plan'>;
  baseline: Facts;
  record: LabRecord;
  /** Round trips of the latest check. */
  trips: () => number;
  /** Types a text at the lab host's bash; exit statuses are ignored, as a learner's are. */
  type: (script: string) => Promise<string>;
  check: (asked?: { only?: ChapterId; through?: ChapterId; hints?: HintLevel }) => Promise<Report>;
}

/** The chapters that make the network; what the others need, such as a Docker, has tests of its own. */
export const course: ChapterId[] = chapterIds.slice(
  chapterIds.indexOf('namespaces'),
  chapterIds.indexOf('publish') + 1,
);

/** What the seed has a learner type, word for word, with this lab host's uplink. */
export const seedSteps = (): Promise<string> => fixture('seed-steps.txt');
export const seedCleanup = (): Promise<string> => fixture('seed-cleanup.txt');
const fixture = (name: string): Promise<string> => readFile(new URL(`fixtures/${name}`, import.meta.url), 'utf8');

/** A fresh sandbox to build on and to grade. */
export const withGraded = (
  conditions: Partial<Conditions>,
  test: (graded: Graded & { host: LabHost }) => Promise<void>,
): Promise<void> =>
  withLabHost(defaultPlan, conditions, async (host) => test({ ...(await gradedOf(host, 'sandbox')), host }));

/** A lab host as it is now, which becomes the baseline. */
export async function gradedOf(host: Graded['host'], driver: DriverName): Promise<Graded> {
  const { session, seat, plan } = host;
  const baseline = await observeFacts(seat);
  const record = emptyRecord();
  const counted = counting(seat);
  return {
    host,
    baseline,
    record,
    trips: () => counted.trips,
    type: async (script) => {
      const { stdout, stderr } = await session.exec('bash -s', { input: `${script}\n` });
      return stdout + stderr;
    },
    check: (only = {}) => {
      counted.trips = 0;
      const asked = { lab: 'lab', driver, plan, baseline, record, chapters, hints: 2 } as const;
      return gradeSource({ seat: counted.seat, ...asked, ...only });
    },
  };
}

/** Counts what is run from a seat. */
export function counting(seat: OpenSeat): { seat: OpenSeat; trips: number } {
  const counted = {
    trips: 0,
    seat: {
      ...seat,
      exec: (...args: Parameters<OpenSeat['exec']>) => {
        counted.trips += 1;
        return seat.exec(...args);
      },
    },
  };
  return counted;
}

/** What did not pass, as `id: verdict`, in order. */
export const misses = (report: Report): string[] =>
  report.checks.filter(({ verdict }) => verdict !== 'pass').map(({ id, verdict }) => `${id}: ${verdict}`);

export const failures = (report: Report): string[] =>
  report.checks.filter(({ verdict }) => verdict === 'fail').map(({ id }) => id);

/** What did not pass, each with all that it says. */
export const explainMisses = (report: Report): string[] =>
  misses(report).map((miss) => `${miss}: ${said(report, miss.split(':')[0] ?? '')}`);

/** The whole text of one check: what a learner is told. */
export const said = (report: Report, id: string): string => {
  const check = report.checks.find((entry) => entry.id === id);
  return [check?.actual, ...(check?.evidence ?? []), check?.hint, check?.because].join('\n');
};
