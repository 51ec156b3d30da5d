import {
  connect,
  type Endpoint,
  hostPaths,
  LabError,
  type LabSpec,
  messageOf,
  run,
  type Session,
} from '@handwired/host';
import { dialOf, seatPort } from './endpoint.ts';
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
  /** Opened by the ssh row, used by those after it; closed by the caller. */
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
    what: 'ssh answers with its pinned key',
    how: sshAnswers,
    hint: 'the kernel boots, the NIC is moved, lab-ssh.socket listens: the console shows how far it came',
    deadlineMs: 240_000,
  },
  {
    what: 'Start scripts are done',
    how: scriptsDone,
    hint: `journalctl -u handwired-lab on the lab host; ${hostPaths.ready} is written last`,
    deadlineMs: 120_000,
  },
  {
    what: "The grader's seat answers from its own disk",
    how: seatAnswers,
    hint: 'lab-seat.socket listens, lab-seat.service starts from the third disk: journalctl -u lab-seat on the lab host',
    deadlineMs: 60_000,
  },
];

async function domainRuns({ spec, hypervisor, signal }: Target): Promise<string | undefined> {
  const { domain } = await look(hypervisor.uri, namesOf(spec).object, signal);
  return domain === 'running' ? undefined : `it is ${domain === '' ? 'not there yet' : domain}`;
}

async function sshAnswers(target: Target): Promise<string | undefined> {
  const { hypervisor, address, endpoint, signal } = target;
  await nameNeighbour(target);
  try {
    // Short attempts, one after the other: a lost SYN would be sent again only after a second.
    const soon = { ...endpoint, dial: dialOf(hypervisor, address, { seconds: 0.3 }) };
    target.session = await connect(soon, { timeoutMs: 30_000, signal });
    return undefined;
  } catch (error) {
    return whyNot(error, target);
  }
}

/** The reason of a try that may be made again; throws when no other can end better. */
function whyNot(error: unknown, { spec, signal }: Target): string {
  signal.throwIfAborted();
  if (error instanceof LabError && error.next === `lab reset ${spec.name}`) throw error;
  // Without socat's time and pid: the same reason twice is one note.
  return messageOf(error).replace(/ \S+ \S+ socat\[\d+\] E.*: /, ' ');
}

/** Tells the hypervisor's end the guest's MAC, so that no second goes by between two ARP requests. */
async function nameNeighbour({ spec, hypervisor, address, signal }: Target): Promise<void> {
  if (hypervisor.pid === undefined) return;
  const { bridge, mac } = namesOf(spec);
  const entry = ['ip', 'neigh', 'replace', address, 'lladdr', mac, 'dev', bridge, 'nud', 'permanent'];
  await run(['nsenter', '-t', String(hypervisor.pid), '-n', ...entry], { signal, allowFailure: true });
}

/** Waits on the lab host, ten seconds at a time, so that one round trip sees the file as soon as it is there. */
const wait = `i=0; while [ $i -lt 100 ]; do [ -e ${hostPaths.ready} ] && exit 0; i=$((i+1)); sleep 0.1; done; exit 1`;

async function scriptsDone({ session, signal }: Target): Promise<string | undefined> {
  if (!session) return 'not connected';
  const { code } = await session.exec(wait, { timeoutMs: 30_000, signal });
  if (code === 0) return undefined;
  const { stdout } = await session.exec('journalctl -q -u handwired-lab -n 3 -o cat 2>/dev/null || :', { signal });
  return stdout.trim() === '' ? 'they still run' : stdout.trim().slice(0, 600);
}

/** A lab that was made before there were seats has none to wait for. */
async function seatAnswers(target: Target): Promise<string | undefined> {
  const { spec, hypervisor, address, endpoint, signal } = target;
  if (!endpoint.seat) return undefined;
  let answer: string;
  try {
    const dial = dialOf(hypervisor, address, { port: seatPort, seconds: 1 });
    const seat = await connect({ ...endpoint, dial }, { timeoutMs: 30_000, signal });
    try {
      answer = (await seat.exec(seatQuestion, { timeoutMs: 30_000, maxBytes: 65_536, signal })).stdout;
    } finally {
      seat.close();
    }
  } catch (error) {
    return whyNot(error, target);
  }
  const trouble = seatTrouble(answer);
  if (trouble === undefined) return undefined;
  const what = `the grader's seat of lab ${spec.name} is not what it was made as: ${trouble}`;
  throw new LabError({ what, where: 'lab-seat.service on the lab host', next: `lab reset ${spec.name}` });
}
