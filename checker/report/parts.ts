import { escapeText } from './escape.ts';
import type { Report, ReportedCheck } from './report.ts';

/** Counts and points on one line: the end of each report that people read. */
export function summaryOf({ lab, driver, summary }: Report): string {
  const { pass, fail, skipped, error, points, of } = summary;
  const counts = [`${pass} pass`, `${fail} fail`, `${skipped} skipped`, ...(error > 0 ? [`${error} error`] : [])];
  return `${lab} (${driver}): ${counts.join(', ')}; ${points === null ? 'not graded' : `${points} of ${of} points`}`;
}

/** How far the packets of a failed path got: `ct1 eth0 ✓ veth ✓ br0 ✗`. */
export function trailOf({ diagnosis }: ReportedCheck): string | undefined {
  if (!diagnosis || diagnosis.trail.length === 0) return undefined;
  return `${diagnosis.path}: ${diagnosis.trail.map(({ hop, passed }) => `${hop} ${passed ? '✓' : '✗'}`).join(' ')}`;
}

/** What a check in one of these states has to say beyond its title, by name; each text may have several lines. */
export function detailsOf(check: ReportedCheck): { name: string; lines: string[] }[] {
  const { verdict, expected, actual, evidence, diagnosis, hint, because } = check;
  const seen = diagnosis?.seen ?? [];
  const all = {
    because: because === null ? [] : [because],
    expected: verdict === 'fail' ? [expected] : [],
    actual: verdict === 'fail' ? [actual] : [],
    evidence: verdict === 'fail' ? evidence : [],
    path: [trailOf(check) ?? []].flat(),
    cause: diagnosis?.cause == null ? [] : [diagnosis.cause, ...seen],
    hint: verdict === 'fail' && hint !== null ? hint.split('\n') : [],
  };
  return Object.entries(all)
    .filter(([, lines]) => lines.length > 0)
    .map(([name, lines]) => ({ name, lines: lines.map(escapeText) }));
}
