import {
  connect,
  type Endpoint,
  hasCode,
  hostPaths,
  LabError,
  type LabSpec,
  messageOf,
  probeGreeting,
  run,
  type Session,
} from '@handwired/host';
import { dialOf } from './endpoint.ts';
import type { Hypervisor } from './hypervisor/index.ts';
import { look } from './look.ts';
import { namesOf } from './names.ts';
import { seatQuestion, seatTrouble } from './seat.ts';

/** What a check of the table may use. */
export interface Target {
  spec: LabSpec;
  hypervisor: Hypervisor;
  endpoint: Endpoint;
  /** The lab host's management address. */
  address: string;
  signal: AbortSignal;
  /** Opened by the seat's row, used by those after it; closed by the caller. */
  session?: Session;
}

/** One row: what must be so, how to find out, what to look at when it does not come. */
export interface Condition {
  what: string;
  /** Nothing: it is so. A text: not yet, and why. Throwing a LabError: it never will be. */
  how(target: Target): Promise<string | undefined>;
  hint: string;
  /** Seconds on a slow machine under TCG. */
  deadlineMs: number;
}

/** Polled in this order, from the moment when the engine begins to make the domain. */
export const readiness: readonly Condition[] = [
  {
    what: 'Domain runs',
    how: domainRuns,
    hint: 'the engine has not started the domain',
    deadlineMs: 120_000,
  },
  {
    what: 'ssh answers',
    how: sshAnswers,
    hint: 'the kernel boots, the NIC is moved, lab-ssh.socket listens: the console shows how far it came',
    deadlineMs: 240_000,
  },
  {
    what: "The grader's seat answers with the pinned key, from its own disk",
    how: seatAnswers,
    hint: 'lab-seat.socket listens, lab-seat.service starts from the third disk: journalctl -u lab-seat on the lab host',
    deadlineMs: 60_000,
  },
  {
    what: 'Start scripts are done',
    how: scriptsDone,
    hint: `journalctl -u handwired-lab on the lab host; ${hostPaths.ready} is written last`,
    deadlineMs: 120_000,
  },
];

async function domainRuns({ spec, hypervisor, signal }: Target): Promise<string | undefined> {
  const { domain } = await look(hypervisor.uri, namesOf(spec).object, signal);
  return domain === 'running' ? undefined : `it is ${domain === '' ? 'not there yet' : domain}`;
}

/** A greeting is enough: the seat's server has the same keys, and one login less is a second less. */
async function sshAnswers(target: Target): Promise<string | undefined> {
  await nameNeighbour(target);
  // Short attempts, one after the other: a lost SYN would be sent again only after a second.
  const way = dialOf(target.hypervisor, target.address, { seconds: 0.3 });
  const why = await probeGreeting(way, { timeoutMs: 30_000, signal: target.signal });
  return why && withoutSocat(why);
}

/** Without socat's time and pid: the same reason twice is one note. */
const withoutSocat = (why: string): string => why.replace(/\S+ \S+ socat\[\d+\] E.*: /, '');

/** Tells the hypervisor's end the guest's MAC, so that no second goes by between two ARP requests. */
async function nameNeighbour({ spec, hypervisor, address, signal }: Target): Promise<void> {
  if (hypervisor.pid === undefined) return;
  const { bridge, mac } = namesOf(spec);
  const entry = ['ip', 'neigh', 'replace', address, 'lladdr', mac, 'dev', bridge, 'nud', 'permanent'];
  await run(['nsenter', '-t', String(hypervisor.pid), '-n', ...entry], { signal, allowFailure: true });
}

/** Opens the session that the rest is done over. */
async function seatAnswers(target: Target): Promise<string | undefined> {
  const { spec, endpoint, signal } = target;
  const dial = 'dial' in endpoint.seat ? endpoint.seat.dial : endpoint.dial;
  try {
    target.session ??= await connect({ ...endpoint, dial }, { timeoutMs: 30_000, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (hasCode(error, 'broken')) throw error;
    return withoutSocat(messageOf(error));
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

/** The lab host's files, at its seat too. */
const root = '/proc/1/root';

/** Waits on the lab host, ten seconds at a time, so that one round trip sees the file as soon as it is there. */
const wait = `i=0; while [ $i -lt 100 ]; do [ -e ${root}${hostPaths.ready} ] && exit 0; i=$((i+1)); sleep 0.1; done; exit 1`;

async function scriptsDone({ session, signal }: Target): Promise<string | undefined> {
  if (!session) return 'not connected';
  const { code } = await session.exec(wait, { timeoutMs: 30_000, signal });
  if (code === 0) return undefined;
  const said = `journalctl -q -D ${root}/run/log/journal -u handwired-lab -n 3 -o cat 2>/dev/null || :`;
  const { stdout } = await session.exec(said, { signal });
  return stdout.trim() === '' ? 'they still run' : stdout.trim().slice(0, 600);
}
