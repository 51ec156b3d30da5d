import { setTimeout as delay } from 'node:timers/promises';
import { LabError, makeSeat } from '@handwired/host';
import type { Work } from '../../driver.ts';
import { consoleFile, consoleTail, panicked } from './console.ts';
import { look } from './look.ts';
import { namesOf } from './names.ts';
import { type Condition, readiness, type Target } from './readiness.ts';

/**
 * Waits until every row of the readiness table is so, each shown as a stage with its time. A guest that panics, or a
 * domain that stops after it ran, ends the wait at once with the console's last lines.
 */
export async function waitUntilReady(target: Target, work: Work, rows = readiness): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([work.signal, target.signal, over.signal]);
  const watched = { ...target, signal };
  const death = watchGuest(watched);
  try {
    const ready = (async () => {
      for (const row of rows) await work.progress.stage(row.what, (note) => until(row, watched, note));
      if (watched.session) await work.whenReady?.(makeSeat(watched.session, target.endpoint.seat.viewPid));
    })();
    await Promise.race([ready, death]);
  } catch (error) {
    work.signal.throwIfAborted();
    throw error;
  } finally {
    over.abort(new Error('the wait is over'));
    watched.session?.close();
    await death.catch(() => undefined);
  }
}

async function until(row: Condition, target: Target, note: (text: string) => void): Promise<void> {
  const deadline = Date.now() + row.deadlineMs;
  for (;;) {
    target.signal.throwIfAborted();
    const why = await row.how(target);
    if (why === undefined) return;
    note(why);
    if (Date.now() > deadline) throw await neverCame(row, why, target);
    await delay(100, undefined, { signal: target.signal });
  }
}

async function neverCame(row: Condition, why: string, { spec, hypervisor }: Target): Promise<LabError> {
  const tail = await consoleTail(consoleFile(spec.name, namesOf(spec).object, hypervisor.kind));
  return new LabError({
    what: `lab ${spec.name} is not ready: "${row.what}" did not come in ${row.deadlineMs / 1000} s (${why})`,
    where: `${row.hint}${tail === '' ? '' : `\n${tail}`}`,
    next: `lab destroy ${spec.name}, then lab up ${spec.name}`,
  });
}

/** Never resolves; rejects when the guest has died. Ends with the signal. */
async function watchGuest({ spec, hypervisor, signal }: Target): Promise<never> {
  const { object } = namesOf(spec);
  const file = consoleFile(spec.name, object, hypervisor.kind);
  let ran = false;
  for (;;) {
    await delay(1000, undefined, { signal });
    const { domain } = await look(hypervisor.uri, object, signal).catch(() => ({ domain: 'unknown' }));
    signal.throwIfAborted();
    const tail = await consoleTail(file);
    if (panicked(tail)) throw died('its kernel panicked', tail);
    if (ran && ['shut off', 'crashed', ''].includes(domain)) throw died(`its domain is ${domain || 'gone'}`, tail);
    ran ||= domain === 'running';
  }
  function died(how: string, tail: string): LabError {
    return new LabError({
      what: `lab ${spec.name} died while it started: ${how}`,
      where: tail === '' ? hypervisor.uri : tail,
      next: `lab destroy ${spec.name}, then lab up ${spec.name}`,
    });
  }
}
