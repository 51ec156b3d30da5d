import { randomBytes } from 'node:crypto';
import { dockerHost, LabError, type OpenSeat, type Plan, world } from '@handwired/host';
import type { Facts } from '../facts/facts.ts';
import { knownWorld } from '../facts/observe.ts';
import { runRemote } from '../remote.ts';
import { Evidence } from './evidence.ts';
import { controls, type CopiesWanted, type ProbeId, probes } from './probes.ts';

const newToken = (): string => `hw${randomBytes(9).toString('hex')}`;

/** As agent/copy.py takes it. Each copy has tokens of its own. */
function renderCopies({ conditions, probes: wanted }: CopiesWanted, plan: Plan): object {
  const ids = [...new Set([...controls, ...wanted])];
  const drawn = conditions.map((condition) => ({
    ...condition,
    probes: ids.map((id) => ({ id, token: newToken(), ...probes[id](plan) })),
  }));
  return { conditions: drawn, world };
}

/**
 * How long one experiment waits for its answer, in seconds: the world answers or refuses at once. By a clock that stands
 * still while the lab host is starved, and that is given ten times what the control experiment took.
 */
const patience = 0.7;

/** On a slow lab host that is this many times what a trivial program takes there from start to end. */
const slow = 40;

/** Which experiments `runProbes` makes, and what it must know of the lab. */
export interface ProbeOptions {
  plan: Plan;
  /** Tells which namespace is the world's, and whose certificates hold. */
  baseline?: Facts;
  wanted: Iterable<ProbeId>;
  /** The same in copies of the lab host's namespaces, at the same time; none without conditions. */
  copies?: CopiesWanted | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Does the experiments, all at once, in one round trip. Each packet carries a token that was drawn here, now.
 * Throws LabError when there is no whole answer.
 */
export async function runProbes(
  seat: OpenSeat,
  { plan, baseline, wanted, copies, signal }: ProbeOptions,
): Promise<Evidence> {
  const ids = [...new Set([...controls, ...wanted])];
  const list = ids.map((id) => ({ id, token: newToken(), ...probes[id](plan) }));
  const answer = await runRemote(seat, {
    program: 'experiments',
    parameters: {
      probes: list,
      control: 'world>site' satisfies ProbeId,
      capture: ['root', 'world', plan.ct1.name, plan.ct2.name, dockerHost.netns],
      seconds: patience,
      slow,
      copies: copies ? renderCopies(copies, plan) : null,
      world: knownWorld(baseline),
      authority: baseline?.world.authority ?? null,
    },
    timeoutMs: 60_000,
    maxBytes: 8 << 20,
    signal,
  });
  const evidence = Evidence.safeParse(answer);
  const missing = ids.find((id) => evidence.data?.results[id] === undefined);
  if (evidence.success && missing === undefined) return evidence.data;
  const where = evidence.success ? `${missing ?? ''} gave no result` : evidence.error.issues[0]?.path.join('.');
  throw new LabError({ what: `the experiments' answer has another shape: ${where ?? ''}`, next: 'lab reset' });
}
