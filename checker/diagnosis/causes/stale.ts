import type { Case } from '../../checks/check.ts';
import { containers, linkOf, netnsOf } from '../../checks/look.ts';
import type { Cause } from '../cause.ts';
import { ip } from '../commands.ts';
import type { Which } from '../hops.ts';

/** What a container takes for its gateway's MAC address for a while, where the bridge has another one; undefined: it is right. */
function entryOf(
  { facts, plan }: Case,
  which: Which,
): { which: Which; name: string; old: string; real: string } | undefined {
  const { name } = plan[which];
  const net = netnsOf(facts, name)?.net;
  const real = linkOf(facts.here.links, plan.bridge)?.mac;
  const old = net?.neighbours.find(
    ({ address, device, mac, state }) =>
      address === plan.gateway && device === plan.inner && mac !== null && !state.includes('PERMANENT'),
  )?.mac;
  return real && old && old !== real ? { which, name, old, real } : undefined;
}

/** The bridge's MAC address has changed, and not everybody has noticed. */
export const stale: Cause[] = [
  {
    id: 'neighbour-stale',
    hop: 'bridge',
    explains: ['connectivity.', 'egress.', 'dns.', 'publish.'],
    detect: (the, { path }) => {
      const { bridge, gateway, inner } = the.plan;
      const old = containers.flatMap((which) => entryOf(the, which) ?? []);
      const one = old.find(({ which }) => path.containers.includes(which));
      if (!one) return undefined;
      return {
        seen: [`${one.name} has ${gateway} at ${one.old}; ${bridge} has ${one.real}`],
        wrong: `${one.name} still sends what is for ${gateway} to ${one.old}, which ${bridge} had before: a bridge without a MAC address of its own takes the lowest of its ports'. The kernel asks again by itself after some seconds.`,
        mend: old.map(({ name }) => ip(name, 'neigh', 'flush', 'dev', inner)),
      };
    },
    look: ({ plan }, { path }) =>
      `which MAC address the gateway has, and which is taken for it: ip link show ${plan.bridge}; ${path.containers.map((which) => `ip -n ${plan[which].name} neigh`).join('; ')}`,
  },
];
