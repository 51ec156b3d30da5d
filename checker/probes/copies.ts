import { randomBytes } from 'node:crypto';
import { type Plan, world } from '@handwired/host';
import { controls, probes, type ProbeId } from './list.ts';

/** A condition that a copy is put under. */
export interface Condition {
  /** Policy of iptables' FORWARD. */
  forwardPolicy: 'accept' | 'drop';
  /** net.bridge.bridge-nf-call-iptables. */
  bridgeNf: '0' | '1';
  /** It is the lab host's own: the copy is left as the original is, and must show what the original shows. */
  own: boolean;
  /** The variants of iptables whose FORWARD is to drop. */
  drop: ('nft' | 'legacy')[];
}

/** What is to be tried in copies of the lab host's namespaces. */
export interface CopiesWanted {
  conditions: Condition[];
  probes: ProbeId[];
}

export const newToken = (): string => `hw${randomBytes(9).toString('hex')}`;

/** As agent/copy.py takes it. Each copy has tokens of its own. */
export function copiesParameters({ conditions, probes: wanted }: CopiesWanted, plan: Plan): object {
  const ids = [...new Set([...controls, ...wanted])];
  const drawn = conditions.map((condition) => ({
    ...condition,
    probes: ids.map((id) => ({ id, token: newToken(), ...probes[id](plan) })),
  }));
  return { conditions: drawn, world };
}
