import type { Case } from '../../checks/check.ts';
import { linkOf, netnsOf, pairOf } from '../../checks/look.ts';
import type { Cause } from '../cause.ts';
import { command, sysctl } from '../commands.ts';
import { nativeDrop } from '../native.ts';
import { nativeMend } from './firewall.ts';
import { mayEndAt, type Walk } from '../walk.ts';

const traffic = ['connectivity.', 'egress.', 'dns.', 'publish.'] as const;

/** The containers of a path and the lab host: what each is called, and how a command is told to be about it. */
const places = ({ facts, plan }: Case, { path }: Walk) => [
  ...path.containers.map((which) => ({
    which: which,
    name: plan[which].name,
    address: plan[which].address,
    device: plan.inner,
    net: netnsOf(facts, plan[which].name)?.net,
    inside: ['ip', 'netns', 'exec', plan[which].name],
  })),
  { which: undefined, name: 'the lab host', address: plan.gateway, device: plan.bridge, net: facts.here, inside: [] },
];

const settingAt = (inside: readonly string[], key: string, value: string): string =>
  inside.length === 0 ? sysctl(key, value) : `${command(...inside)} ${sysctl(key, value)}`;

/** Those that get a packet and say nothing, although nothing is in its way. */
export const silent: Cause[] = [
  {
    id: 'port-disabled',
    hop: 'bridge',
    explains: traffic,
    structural: true,
    detect: (the, { path }) => {
      for (const which of path.containers) {
        const host = pairOf(the.facts, the.plan[which], the.plan)?.host;
        const port = the.facts.here.ports.find(({ device }) => device === host?.name);
        if (!host?.up || !host.carrier || !port || port.state === 'forwarding') continue;
        // With STP on, a bridge sets this by itself, and for a while.
        if (linkOf(the.facts.here.links, the.plan.bridge)?.bridge?.stp !== 0) continue;
        return {
          which,
          seen: [`${host.name} is up, and its port of ${the.plan.bridge} is in the state ${port.state}`],
          wrong: `${host.name} is a port of ${the.plan.bridge} in the state ${port.state}: the link is up, and the bridge neither takes nor sends a frame there.`,
          mend: [command('bridge', 'link', 'set', 'dev', host.name, 'state', 3)],
        };
      }
      return undefined;
    },
  },
  {
    id: 'bridge-family-drops',
    hop: 'bridge',
    explains: traffic,
    detect: (the, walk) => {
      const packet = walk.path.packet?.(the, walk.probe);
      const ends = walk.path.containers.map((which) => pairOf(the.facts, the.plan[which], the.plan)?.host.name);
      if (!packet || ends.length < 2 || !mayEndAt(walk, 'bridge')) return undefined;
      const drop = nativeDrop(the.facts.here, 'forward', { ...packet, in: ends[0], out: ends[1] }, ['bridge']);
      if (!drop) return undefined;
      const by = drop.rule?.shown ?? 'its policy';
      return {
        seen: [`${by} of ${drop.chain} takes ${packet.protocol} from ${packet.source} to ${packet.target}`],
        wrong: `A chain of nft's family bridge drops it between two ports, where no chain of ip or inet sees it: ${drop.chain}, ${by}.`,
        mend: nativeMend(drop),
      };
    },
    look: ({ plan }) =>
      `which rules judge frames between two ports: nft list ruleset bridge; bridge -d link show master ${plan.bridge}`,
  },
  {
    id: 'arp-ignored',
    hop: 'inner',
    explains: traffic,
    structural: true,
    detect: (the, walk) => {
      for (const { which, name, address, device, net, inside } of places(the, walk)) {
        const keys = ['all', device].map((one) => `net/ipv4/conf/${one}/arp_ignore`);
        const key = keys.find((one) => Number(net?.sysctls[one] ?? 0) >= 8);
        if (key === undefined) continue;
        return {
          ...(which ? { which } : { hop: 'bridge' as const }),
          seen: [`${key} of ${name} is ${net?.sysctls[key] ?? ''}`],
          wrong: `${name} answers nobody who asks by ARP who has ${address}: ${key} is ${net?.sysctls[key] ?? ''}, so it ignores such questions for all of its addresses.`,
          mend: [settingAt(inside, key, '0')],
        };
      }
      return undefined;
    },
    look: () =>
      'who asks by ARP, who answers, and by which settings: tcpdump -nni any -c 6 arp; sysctl -a --pattern arp_',
  },
  {
    id: 'echo-ignored',
    hop: 'server',
    explains: ['connectivity.'],
    structural: true,
    detect: (the, walk) => {
      const packet = walk.path.packet?.(the, walk.probe);
      const at = places(the, walk).find(({ address }) => address === packet?.target);
      const key = 'net/ipv4/icmp_echo_ignore_all';
      if (!at || Number(at.net?.sysctls[key] ?? 0) !== 1) return undefined;
      return {
        ...(at.which ? { which: at.which } : { hop: 'host' as const }),
        seen: [`${key} of ${at.name} is 1`],
        wrong: `${at.name} gets the echo request and answers none: ${key} is 1. Nothing is wrong on the way there.`,
        mend: [settingAt(at.inside, key, '0')],
      };
    },
  },
];
