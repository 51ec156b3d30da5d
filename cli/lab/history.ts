import type { Report } from '@handwired/checker';
import { LabError, type NewEvent, noteHistory } from '@handwired/host';
import type { Context } from '../context.ts';

/** Keeps what a learner did. Where it can't be kept, that is told: what was done stays done. */
export async function remember(name: string, context: Context, ...events: NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  await noteHistory(name, ...events).catch((error: unknown) => {
    if (!(error instanceof LabError)) throw error;
    context.progress.note(`this is not kept for lab progress: ${error.message}`);
  });
}

/** Keeps what a grading gave: each chapter of it, or those that `before`, an earlier one of the same command, gave otherwise. */
export async function rememberReport(name: string, report: Report, context: Context, before?: Report): Promise<void> {
  const old = new Set(before === undefined ? [] : eventsOf(before).map((event) => JSON.stringify(event)));
  await remember(name, context, ...eventsOf(report).filter((event) => !old.has(JSON.stringify(event))));
}

function eventsOf({ summary, checks, hints }: Report): NewEvent[] {
  return summary.chapters.map(({ id, verdict, points, of }) => {
    const first = checks.find((check) => check.chapter === id && check.verdict !== 'pass');
    return {
      ...{ kind: 'check', chapter: id, verdict, points, of, hints },
      first: first ? { id: cut(first.id), title: cut(first.title), actual: cut(first.because ?? first.actual) } : null,
    };
  });
}

/** As much of a text as a history keeps. */
const cut = (text: string): string => text.slice(0, 300);
