import type { Case } from '../../queries/check.ts';
import { command, container, ip } from '../../queries/commands.ts';
import { listAddresses, findLink, findNetns, findPairs } from '../../queries/links.ts';
import { isWithin } from '../../queries/packet.ts';
import type { Which } from '../../queries/paths.ts';
import { type Cause, traffic } from '../cause.ts';

const atNamespace = { hop: 'inner', explains: ['namespaces.'], structural: true } as const;

/** Chapter 01: the entry of /run/netns with a container's name. */
export const namespaceCauses: Cause[] = [
  {
    ...atNamespace,
    id: 'namespace-missing',
    detect: (lab, { path }) => {
      const which = path.containers.find(
        (one) => !lab.facts.namespaces.some(({ name }) => name === lab.plan[one].name),
      );
      if (!which) return undefined;
      const others = lab.facts.namespaces.map(({ name }) => name).join(', ');
      return {
        which,
        seen: [`/run/netns has ${others || 'nothing'}`],
        wrong: `There is no network namespace ${lab.plan[which].name}: nobody made one, or it was deleted.`,
        mend: container(lab, which),
      };
    },
  },
  {
    ...atNamespace,
    id: 'namespace-plain-file',
    detect: (lab, { path }) => {
      const which = path.containers.find((one) =>
        lab.facts.namespaces.some(({ name, real }) => name === lab.plan[one].name && !real),
      );
      if (!which) return undefined;
      const { name } = lab.plan[which];
      return {
        which,
        seen: [`/run/netns/${name} has no mount of type nsfs on it`],
        wrong: `/run/netns/${name} is a plain file: a namespace's name is a file with the namespace mounted on it.`,
        mend: [command('rm', '-f', `/run/netns/${name}`), ...container(lab, which)],
      };
    },
  },
  {
    ...atNamespace,
    id: 'namespace-of-host',
    detect: (lab, { path }) => {
      const which = path.containers.find((one) =>
        lab.facts.namespaces.some(({ name, inode }) => name === lab.plan[one].name && inode === lab.facts.host.inode),
      );
      if (!which) return undefined;
      const { name } = lab.plan[which];
      return {
        which,
        seen: [`the inode of /run/netns/${name} is ${lab.facts.host.inode}, the lab host's own`],
        wrong: `${name} is the lab host's own network namespace under another name: nothing in it is apart.`,
        mend: [ip(null, 'netns', 'del', name), ...container(lab, which)],
      };
    },
  },
  {
    ...atNamespace,
    id: 'namespace-shared',
    explains: ['namespaces.ct2'],
    detect: (lab) => {
      const { ct1, ct2 } = lab.plan;
      const [one, two] = [findNetns(lab.facts, ct1.name), findNetns(lab.facts, ct2.name)];
      if (!one || one.inode === null || one.inode !== two?.inode) return undefined;
      return {
        which: 'ct2',
        seen: [`${ct1.name} and ${ct2.name} have the same inode, ${one.inode}`],
        wrong: `${ct2.name} is the same namespace as ${ct1.name}: two names, one namespace.`,
        mend: [ip(null, 'netns', 'del', ct2.name), ...container(lab, 'ct2')],
      };
    },
  },
];

/** A planned veth whose other end is in a namespace without a name, and a process that keeps such a namespace. */
function astray({ facts, plan }: Case, which: Which): { end: string; pid: number; command: string } | undefined {
  if (findPairs(facts, plan[which]).length > 0) return undefined;
  const named = new Set(facts.here.ids.flatMap(({ nsid, name }) => (name === null ? [] : [nsid])));
  const end = facts.here.links.find(
    ({ kind, name, peer }) =>
      kind === 'veth' && name === plan[which].veth && peer?.nsid != null && !named.has(peer.nsid),
  );
  const keeper = facts.processes.find(({ netns, inode }) => netns === null && inode !== facts.world.inode);
  return end && keeper ? { end: end.name, pid: keeper.pid, command: keeper.command } : undefined;
}

/** Leftovers of an earlier run that disturb this one. */
export const leftoverCauses: Cause[] = [
  {
    id: 'namespace-left-running',
    hop: 'veth',
    explains: ['veth.ct', 'addressing.'],
    structural: true,
    detect: (lab, { path }) => {
      for (const which of path.containers) {
        const found = astray(lab, which);
        if (!found) continue;
        const { name } = lab.plan[which];
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
    where: ({ plan }) =>
      `where the cables lead, and who is in which namespace: ip -d link show type veth; ip netns list-id; lsns -t net; ip netns pids ${plan.ct1.name}`,
  },
  {
    id: 'subnet-doubled',
    hop: 'routing',
    explains: traffic,
    structural: true,
    detect: ({ facts, plan }) => {
      const route = facts.here.routes
        .filter(({ table, destination }) => table === 'main' && destination !== 'default' && !destination.includes(':'))
        .filter(({ destination }) => isWithin(plan.ct1.address, destination) || isWithin(plan.ct2.address, destination))
        .toSorted((a, b) => Number(b.destination.split('/')[1] ?? 32) - Number(a.destination.split('/')[1] ?? 32))[0];
      if (route?.protocol !== 'kernel' || route.device === null || route.device === plan.bridge) return undefined;
      const { device } = route;
      const link = findLink(facts.here.links, device);
      const own = listAddresses(link).filter((entry) => isWithin(entry.split('/')[0] ?? '', route.destination));
      return {
        seen: [`the lab host's first route to ${route.destination} is by ${device}`, `${device} has ${own.join(', ')}`],
        wrong: `Two links of the lab host are in ${route.destination}: ${device} (${own.join(', ')}) and ${plan.bridge}. What is for the containers goes to ${device}, whose route comes first.`,
        mend: own.map((entry) => ip(null, 'addr', 'del', entry, 'dev', device)),
      };
    },
    where: ({ plan }) =>
      `by which link the lab host sends what is for the containers: ip route get ${plan.ct1.address}; ip route; ip -br addr; ${command('ip', 'neigh')}`,
  },
];
