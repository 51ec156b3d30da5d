import type { Case } from '../../checks/check.ts';
import { addressesOf, linkOf, pairsOf } from '../../checks/look.ts';
import type { Cause } from '../cause.ts';
import { command, ip } from '../commands.ts';
import type { Which } from '../hops.ts';
import { within } from '../packet.ts';

/** A port of the bridge whose other end is in a namespace that has no name, and a process that keeps that namespace. */
function astray({ facts, plan }: Case, which: Which): { end: string; pid: number; command: string } | undefined {
  if (pairsOf(facts, plan[which]).length > 0) return undefined;
  const named = new Set(facts.here.ids.flatMap(({ nsid, name }) => (name === null ? [] : [nsid])));
  const end = facts.here.links.find(
    ({ kind, name, peer }) =>
      kind === 'veth' && name === plan[which].veth && peer?.nsid != null && !named.has(peer.nsid),
  );
  const keeper = facts.processes.find(({ netns, inode }) => netns === null && inode !== facts.world.inode);
  return end && keeper ? { end: end.name, pid: keeper.pid, command: keeper.command } : undefined;
}

/** What an earlier run left behind, in the way of this one. */
export const leftover: Cause[] = [
  {
    id: 'namespace-left-running',
    hop: 'veth',
    explains: ['veth.ct', 'addressing.'],
    structural: true,
    detect: (the, { path }) => {
      for (const which of path.containers) {
        const found = astray(the, which);
        if (!found) continue;
        const { name } = the.plan[which];
        return {
          which,
          seen: [
            `${found.end} leads into a namespace without a name`,
            `process ${found.pid} (${found.command}) is in a namespace without a name`,
          ],
          wrong: `${name} is a new, empty namespace. The one that had its name before lives on, because process ${found.pid} (${found.command}) is still in it, and with it the cable ${found.end}: ip netns del takes away a name, no more.`,
          mend: [ip(null, 'netns', 'del', name), ip(null, 'netns', 'attach', name, found.pid)],
        };
      }
      return undefined;
    },
    look: ({ plan }) =>
      `where the cables lead, and who is in which namespace: ip -d link show type veth; ip netns list-id; lsns -t net; ip netns pids ${plan.ct1.name}`,
  },
  {
    id: 'subnet-doubled',
    hop: 'routing',
    explains: ['connectivity.', 'egress.', 'dns.', 'publish.'],
    structural: true,
    detect: ({ facts, plan }) => {
      const route = facts.here.routes
        .filter(({ table, destination }) => table === 'main' && destination !== 'default' && !destination.includes(':'))
        .filter(({ destination }) => within(plan.ct1.address, destination) || within(plan.ct2.address, destination))
        .toSorted((a, b) => Number(b.destination.split('/')[1] ?? 32) - Number(a.destination.split('/')[1] ?? 32))[0];
      if (route?.protocol !== 'kernel' || route.device === null || route.device === plan.bridge) return undefined;
      const { device } = route;
      const link = linkOf(facts.here.links, device);
      const own = addressesOf(link).filter((entry) => within(entry.split('/')[0] ?? '', route.destination));
      return {
        seen: [`the lab host's first route to ${route.destination} is by ${device}`, `${device} has ${own.join(', ')}`],
        wrong: `Two links of the lab host are in ${route.destination}: ${device} (${own.join(', ')}) and ${plan.bridge}. What is for the containers goes to ${device}, whose route comes first.`,
        mend: own.map((entry) => ip(null, 'addr', 'del', entry, 'dev', device)),
      };
    },
    look: ({ plan }) =>
      `by which link the lab host sends what is for the containers: ip route get ${plan.ct1.address}; ip route; ip -br addr; ${command('ip', 'neigh')}`,
  },
];
