import { randomBytes } from 'node:crypto';
import { dockerHost, LabError, type OpenSeat, type Plan, world } from '@handwired/host';
import type { Facts } from '../facts/facts.ts';
import { knownWorld } from '../facts/observe.ts';
import { runRemote } from '../remote.ts';
import { Evidence } from './evidence.ts';
import { controls, type CopiesWanted, type ProbeId, probes } from './probes.ts';

const newToken = (): string => `hw${randomBytes(9).toString('hex')}`;

/** The parameter `copies` of agent/experiments.py. Each copy has its own tokens. */
function renderCopies({ conditions, probes: wanted }: CopiesWanted, plan: Plan): object {
  const ids = [...new Set([...controls, ...wanted])];
  const drawn = conditions.map((condition) => ({
    ...condition,
    probes: ids.map((id) => ({ id, token: newToken(), ...probes[id](plan) })),
  }));
  return { conditions: drawn, world };
}

/**
 * Seconds. One experiment waits this long for its answer, because the world answers or refuses at once. The clock stops
 * while the lab host does not let the prober run. Ten times what the control experiment took is added.
 */
const patience = 0.7;

/** On a slow lab host the wait is this many times the run time of a trivial program there. */
const slow = 40;

/** The experiments that `runProbes` makes, and what it must know about the lab. */
export interface ProbeOptions {
  plan: Plan;
  /** Identifies the world's namespace and the CA certificate to trust. */
  baseline?: Facts;
  wanted: Iterable<ProbeId>;
  /** Experiments in copies of the lab host's namespaces, made at the same time. */
  copies?: CopiesWanted | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Makes all experiments at once, in one round trip. Each experiment gets a new random token, which its packets carry.
 * Throws LabError when the answer is missing or incomplete.
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
