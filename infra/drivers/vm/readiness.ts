import { setTimeout as delay } from 'node:timers/promises';
import {
  connect,
  type Endpoint,
  hasCode,
  hostPaths,
  LabError,
  type LabSpec,
  makeSeat,
  readMessage,
  probeGreeting,
  run,
  type Session,
} from '@handwired/host';
import type { Work } from '../../driver.ts';
import { enterPrivate, type Hypervisor, readLastLines } from './hypervisor.ts';
import { listObjects } from './objects.ts';
import { consoleFile, makeDial, makeNames, seatSerial } from './record.ts';

/** The lab host for which `waitUntilReady` waits. */
export interface Target {
  spec: LabSpec;
  hypervisor: Hypervisor;
  endpoint: Endpoint;
  /** The lab host's management address. */
  address: string;
  signal: AbortSignal;
  /** The row of the seat opens it, later rows use it, and `waitUntilReady` closes it. */
  session?: Session;
}

/** One row of the table: what must become true, how to test it, and where to look when it stays false. */
export interface Condition {
  what: string;
  /** Returns undefined when it is true, else why it is not true yet. Throws LabError when it can't become true. */
  probe(target: Target): Promise<string | undefined>;
  hint: string;
  /** Long enough for a slow machine under TCG. */
  deadlineMs: number;
}

/** The rows, probed in this order, each until it is true. Probing starts when the engine begins to make the domain. */
const readiness: readonly Condition[] = [
  {
    what: 'Domain runs',
    probe: domainRuns,
    hint: 'the engine has not started the domain',
    deadlineMs: 120_000,
  },
  {
    what: 'ssh answers',
    probe: sshAnswers,
    hint: 'the kernel boots, the NIC is moved, lab-ssh.socket listens: the console shows how far it came',
    deadlineMs: 240_000,
  },
  {
    what: "The grader's seat answers with the pinned key, from its own disk",
    probe: seatAnswers,
    hint: 'lab-seat.socket listens, lab-seat.service starts from the third disk: journalctl -u lab-seat on the lab host',
    deadlineMs: 60_000,
  },
  {
    what: 'Start scripts are done',
    probe: scriptsDone,
    hint: `journalctl -u handwired-lab on the lab host; ${hostPaths.ready} is written last`,
    deadlineMs: 120_000,
  },
];

/**
 * Waits until every row of the table is true, and shows each as a stage with its time. LabError, with the console's
 * last lines: a row did not become true in its time. When the guest panics or its domain stops, the error comes at
 * once.
 */
export async function waitUntilReady(target: Target, work: Work, rows = readiness): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([work.signal, target.signal, over.signal]);
  const watched = { ...target, signal };
  const death = watchGuest(watched);
  try {
    const ready = (async () => {
      for (const row of rows) await work.progress.stage(row.what, (note) => waitForRow(row, watched, note));
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

async function waitForRow(row: Condition, target: Target, note: (text: string) => void): Promise<void> {
  const deadline = Date.now() + row.deadlineMs;
  for (;;) {
    target.signal.throwIfAborted();
    const why = await row.probe(target);
    if (why === undefined) return;
    note(why);
    if (Date.now() > deadline) throw await explainTimeout(row, why, target);
    await delay(100, undefined, { signal: target.signal });
  }
}

async function explainTimeout(row: Condition, why: string, { spec, hypervisor }: Target): Promise<LabError> {
  const tail = await consoleTail(consoleFile(spec.name, makeNames(spec).object, hypervisor.kind));
  return new LabError({
    what: `lab ${spec.name} is not ready: "${row.what}" did not come in ${row.deadlineMs / 1000} s (${why})`,
    where: `${row.hint}${tail === '' ? '' : `\n${tail}`}`,
    next: `lab destroy ${spec.name}, then lab up ${spec.name}`,
  });
}

/** Rejects when the guest has died, or with the signal's reason. It never resolves. */
async function watchGuest({ spec, hypervisor, signal }: Target): Promise<never> {
  const { object } = makeNames(spec);
  const file = consoleFile(spec.name, object, hypervisor.kind);
  let ran = false;
  for (;;) {
    await delay(1000, undefined, { signal });
    const { domain } = await listObjects(hypervisor.uri, object, signal).catch(() => ({ domain: 'unknown' }));
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

/** The console's last lines, safe to print; '' when it can't be read. */
const consoleTail = (file: string): Promise<string> => readLastLines(file, 12);

/** Whether the console shows the messages of a kernel panic. */
const panicked = (text: string): boolean => /Kernel panic - not syncing|end Kernel panic/.test(text);

async function domainRuns({ spec, hypervisor, signal }: Target): Promise<string | undefined> {
  const { domain } = await listObjects(hypervisor.uri, makeNames(spec).object, signal);
  return domain === 'running' ? undefined : `it is ${domain === '' ? 'not there yet' : domain}`;
}

/** A greeting is enough here. The row of the seat logs in with the same keys, and one login less saves a second. */
async function sshAnswers(target: Target): Promise<string | undefined> {
  await announceGuest(target);
  // Many short attempts: within one attempt, a lost SYN would be sent again only after a second.
  const dial = makeDial(target.hypervisor, target.address, { seconds: 0.3 });
  const why = await probeGreeting(dial, { timeoutMs: 30_000, signal: target.signal });
  return why && dropSocatPrefix(why);
}

/** Removes socat's time and pid from a reason, so that a repeated reason gives only one note. */
const dropSocatPrefix = (why: string): string => why.replace(/\S+ \S+ socat\[\d+\] E.*: /, '');

/** Gives the hypervisor's end the guest's MAC address. Otherwise a second passes between two ARP requests. */
async function announceGuest({ spec, hypervisor, address, signal }: Target): Promise<void> {
  if (hypervisor.pid === undefined) return;
  const { bridge, mac } = makeNames(spec);
  const entry = ['ip', 'neigh', 'replace', address, 'lladdr', mac, 'dev', bridge, 'nud', 'permanent'];
  await run([...enterPrivate(hypervisor.pid, '-n'), ...entry], { signal, allowFailure: true });
}

/** Opens the session that the later rows use, and examines the seat. */
async function seatAnswers(target: Target): Promise<string | undefined> {
  const { spec, endpoint, signal } = target;
  const dial = 'dial' in endpoint.seat ? endpoint.seat.dial : endpoint.dial;
  try {
    target.session ??= await connect({ ...endpoint, dial }, { timeoutMs: 30_000, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (hasCode(error, 'broken')) throw error;
    return dropSocatPrefix(readMessage(error));
  }
  const { stdout } = await target.session.exec(seatQuestion, { timeoutMs: 30_000, maxBytes: 65_536, signal });
  const trouble = seatTrouble(stdout);
  if (trouble === undefined) return undefined;
  const what = `the grader's seat of lab ${spec.name} is not what it was made as: ${trouble}`;
  throw new LabError({
    what,
    where: 'lab-seat.service on the lab host',
    next: `lab reset ${spec.name}`,
    code: 'broken',
  });
}

/** The lab host's root, as its seat sees it. */
const root = '/proc/1/root';

/** Waits on the lab host, at most ten seconds for each call, so that one round trip sees the file at once. */
const wait = `i=0; while [ $i -lt 100 ]; do [ -e ${root}${hostPaths.ready} ] && exit 0; i=$((i+1)); sleep 0.1; done; exit 1`;

async function scriptsDone({ session, signal }: Target): Promise<string | undefined> {
  if (!session) return 'not connected';
  const { code } = await session.exec(wait, { timeoutMs: 30_000, signal });
  if (code === 0) return undefined;
  const said = `journalctl -q -D ${root}/run/log/journal -u handwired-lab -n 3 -o cat 2>/dev/null || :`;
  const { stdout } = await session.exec(said, { signal });
  return stdout.trim() === '' ? 'they still run' : stdout.trim().slice(0, 600);
}

/** A script for the seat. Prints its mounts (proc(5), mountinfo) and `disk DEVICE READ_ONLY SERIAL` lines. */
export const seatQuestion = `cat /proc/self/mountinfo
cd /sys/dev/block
for disk in *:*; do
  ro= serial=
  read -r ro <$disk/ro
  read -r serial 2>/dev/null <$disk/serial
  echo "disk $disk $ro $serial"
done`;

/** Where other things than the disk may be mounted at a seat. No program or library is in these folders. */
const elsewhere = /^\/(proc|tmp|(dev|run|sys)(\/.*)?)$/;

/**
 * What is wrong with a seat that gave this answer to `seatQuestion`. Undefined when its root is the read-only disk and
 * nothing is mounted over a part of it. A learner who rebuilds the unit that makes the seat can forge the answer:
 * docs/lab-host.md.
 */
export function seatTrouble(answer: string): string | undefined {
  const lines = answer.split('\n').map((line) => line.split(' '));
  const mounts = lines.filter((words) => words.includes('-')).map(findMount);
  const root = mounts.findLast(({ at }) => at === '/');
  if (!root) return 'it lists no mounts';
  const disk = lines.find(([word, device]) => word === 'disk' && device === root.device);
  if (disk?.[3] !== seatSerial) return `its root is not the disk ${seatSerial} but ${root.source} (${root.device})`;
  if (disk[2] !== '1') return `its disk ${seatSerial} can be written to`;
  for (const { at, type } of mounts) {
    if (at !== '/' && !elsewhere.test(at)) return `something is mounted on ${at}`;
    for (const api of ['proc', 'sys']) if (at === `/${api}` && !type.startsWith(api)) return `${at} is a ${type}`;
  }
  return undefined;
}

interface Mount {
  /** MAJOR:MINOR */
  device: string;
  at: string;
  type: string;
  source: string;
}

function findMount(words: string[]): Mount {
  const dash = words.indexOf('-');
  const [, , device = '', , at = ''] = words;
  return { device, at, type: words[dash + 1] ?? '', source: words[dash + 2] ?? '' };
}
