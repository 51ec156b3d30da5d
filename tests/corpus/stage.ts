import { readFile } from 'node:fs/promises';
import {
  type Conditions,
  connect,
  type Endpoint,
  type LabSpec,
  type OpenSeat,
  openSeat,
  type Plan,
  type Session,
} from '@handwired/host';
import { diffFacts, type Facts } from '@handwired/checker';
import type { Driver, Work } from '../../infra/driver.ts';
import { type Graded, gradedOf } from '../sandbox/grading.ts';
import { whatFails } from './works.ts';

/** One lab host on which cases are built one after the other. */
export interface Stage {
  /** Gives the lab host as it was made, under these conditions. Empties it if that is enough, else makes it again. */
  fresh(conditions: Conditions, plan: Plan): Promise<Graded>;
  /** Whether it is fast enough to be looked at with plain commands after each grade. */
  looks: boolean;
  /** What does not work there now, as plain commands show it; `strictly`: under FORWARD DROP with bridge-nf 1. */
  works(plan: Plan, seconds: number, strictly: boolean): Promise<string[]>;
  /** For each time that the lab host was made again, the reason. */
  remade: readonly string[];
  end(): Promise<void>;
}

const strict = 'iptables -P FORWARD DROP; sysctl -qw net.bridge.bridge-nf-call-iptables=1; conntrack -F';
const program = new URL('reset.sh', import.meta.url);

/** Makes a lab host from a spec and keeps it until `end`. */
export async function stageOf(driver: Driver, spec: LabSpec, work: () => Work): Promise<Stage> {
  const text = await readFile(program, 'utf8');
  const baselines = new Map<string, Facts>();
  const remade: string[] = [];
  let host = await opened(await driver.up(spec, work()), text);

  /** Empties it; what is still other than it was when it was made, or nothing. */
  async function empty(words: string, plan: Plan): Promise<{ graded: Graded | undefined; left: string }> {
    const trouble = await run(host.session, text, `reset ${words}`).catch((error: unknown) => String(error));
    if (trouble !== '') return { graded: undefined, left: trouble };
    const graded = await gradedOf({ ...host, plan }, spec.driver);
    const known = baselines.get(words) ?? graded.baseline;
    baselines.set(words, known);
    const lines = diffFacts(known, graded.baseline).map(({ change, text: what }) => `${change} ${what}`);
    return { graded, left: lines.join('; ') };
  }

  async function fresh(conditions: Conditions, plan: Plan): Promise<Graded> {
    const words = Object.values(conditions).join(' ');
    const first = await empty(words, plan);
    if (first.graded && first.left === '') return first.graded;
    remade.push(first.left);
    host.close();
    host = await opened(await driver.reset(spec, work()), text);
    const second = await empty(words, plan);
    if (second.graded && second.left === '') return second.graded;
    throw new Error(`a new lab host is not what the first one was: ${second.left}`);
  }

  return {
    fresh,
    remade,
    looks: spec.driver === 'sandbox',
    works: async (plan, seconds, strictly) => {
      if (strictly) await host.session.exec(strict);
      return whatFails(host.session, plan, seconds);
    },
    end: async () => {
      host.close();
      await driver.destroy(spec, work());
    },
  };
}

async function opened(endpoint: Endpoint, text: string): Promise<{ session: Session; seat: OpenSeat; close(): void }> {
  const session = await connect(endpoint);
  const seat = await openSeat(endpoint);
  const trouble = await run(session, text, 'save');
  if (trouble !== '') throw new Error(trouble);
  const close = (): void => {
    seat.close();
    session.close();
  };
  return { session, seat, close };
}

/** Runs our program on the lab host. Returns what went wrong in one line, or an empty text. */
async function run(session: Session, text: string, words: string): Promise<string> {
  const { code, stderr } = await session.exec(`sh -s -- ${words}`, { input: text });
  return code === 0 ? '' : `exit ${String(code)}: ${stderr.trim().split('\n').at(-1) ?? ''}`;
}
