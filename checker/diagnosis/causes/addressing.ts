import { world } from '@handwired/host';
import type { Net } from '../../facts/facts.ts';
import type { Case } from '../../queries/check.ts';
import { defaultRoute, hostRoute, ip } from '../../queries/commands.ts';
import { listAddresses, findLink, joinWords, findNetns } from '../../queries/links.ts';
import type { Which } from '../../queries/paths.ts';
import type { Walk } from '../../queries/walk.ts';
import type { Cause, Finding } from '../cause.ts';

const inContainer = { hop: 'inner', structural: true } as const;

/** Runs a test on the namespace of each container of the path. Gives the first finding. */
const firstOfContainers = (
  lab: Case,
  { path }: Walk,
  test: (net: Net, which: Which) => Omit<Finding, 'which'> | undefined,
): Finding | undefined => {
  for (const which of path.containers) {
    const net = findNetns(lab.facts, lab.plan[which].name)?.net;
    const found = net ? test(net, which) : undefined;
    if (found) return { ...found, which };
  }
  return undefined;
};

/** The IPv4 default route of table main with the lowest metric. */
const bestDefault = (net: Net) =>
  net.routes
    .filter(
      (route) => route.destination === 'default' && route.table === 'main' && !(route.gateway ?? '').includes(':'),
    )
    .toSorted((a, b) => (a.metric ?? 0) - (b.metric ?? 0))[0];

function down(lab: Case, net: Net, which: Which, name: string, loopback: boolean): Omit<Finding, 'which'> | undefined {
  const link = net.links.find((one) => (loopback ? one.loopback : one.name === name));
  if (!link || link.up) return undefined;
  const { name: netns } = lab.plan[which];
  const route = loopback || lab.record.begun.addressing === undefined ? [] : [defaultRoute(lab, which)];
  return {
    seen: [`in ${netns}, ${link.name} is without the flag UP`],
    wrong: `In ${netns}, ${link.name} is down: a link starts so in a new namespace${loopback ? '' : ', and goes down when it moves into another'}.`,
    mend: [ip(netns, 'link', 'set', link.name, 'up'), ...route],
  };
}

/** Finds an address or prefix that differs from the plan, and the commands that correct it. */
function address(lab: Case, net: Net, which: Which): (Omit<Finding, 'which'> & { kind: string }) | undefined {
  const { plan, facts } = lab;
  const { name, address: own } = plan[which];
  const wanted = `${own}/${plan.prefix}`;
  const link = findLink(net.links, plan.inner);
  const found = listAddresses(link);
  if (!link || found.includes(wanted)) return undefined;
  const add = [ip(name, 'addr', 'add', wanted, 'dev', plan.inner), defaultRoute(lab, which)];
  const seen = [`in ${name}, ${plan.inner} has ${joinWords(found)}`];
  const near = found.find((entry) => entry.startsWith(`${own}/`));
  const remove = (entry: string): string => ip(name, 'addr', 'del', entry, 'dev', plan.inner);
  if (near) {
    const wrong = `The prefix is wrong: ${near}. Without /${plan.prefix} the kernel takes /32, and knows no neighbour.`;
    return { kind: 'mask', seen, wrong, mend: [remove(near), ...add] };
  }
  const first = found[0];
  if (first !== undefined) {
    const wrong = `${plan.inner} in ${name} has ${joinWords(found)}; the plan gives it ${wanted}.`;
    return { kind: 'wrong', seen, wrong, mend: [remove(first), ...add] };
  }
  const onHost = facts.here.links.find((entry) => listAddresses(entry).some((one) => one.startsWith(`${own}/`)));
  const there = listAddresses(onHost).find((one) => one.startsWith(`${own}/`));
  const away = onHost && there ? [ip(null, 'addr', 'del', there, 'dev', onHost.name)] : [];
  const wrong = onHost
    ? `${own} is on the lab host's ${onHost.name}, not in ${name}.`
    : `${plan.inner} in ${name} has no address${link.up ? '' : ', and is down'}.`;
  const up = link.up ? [] : [ip(name, 'link', 'set', plan.inner, 'up')];
  return { kind: 'missing', seen, wrong, mend: [...away, ...up, ...add] };
}

function addressCause(id: string, kind: string): Cause {
  return {
    ...inContainer,
    id,
    explains: ['addressing.ct1-address', 'addressing.ct2-address', 'addressing.ct1-route', 'addressing.ct2-route'],
    detect: (lab, walk) =>
      firstOfContainers(lab, walk, (net, which) => {
        const { kind: found, ...rest } = address(lab, net, which) ?? {};
        return found === kind ? (rest as Finding) : undefined;
      }),
  };
}

/** Chapter 04: names, addresses and routes inside a container. */
export const addressingCauses: Cause[] = [
  {
    ...inContainer,
    id: 'inner-down',
    explains: ['addressing.ct1', 'addressing.ct2'],
    detect: (lab, walk) => firstOfContainers(lab, walk, (net, which) => down(lab, net, which, lab.plan.inner, false)),
  },
  {
    ...inContainer,
    id: 'loopback-down',
    explains: ['addressing.ct1-link', 'addressing.ct2-link'],
    detect: (lab, walk) => firstOfContainers(lab, walk, (net, which) => down(lab, net, which, 'lo', true)),
  },
  addressCause('address-wrong-mask', 'mask'),
  addressCause('address-wrong', 'wrong'),
  addressCause('address-missing', 'missing'),
  {
    ...inContainer,
    id: 'default-route-missing',
    explains: ['addressing.ct1-route', 'addressing.ct2-route'],
    detect: (lab, walk) =>
      firstOfContainers(lab, walk, (net, which) => {
        if (bestDefault(net)) return undefined;
        const { name } = lab.plan[which];
        return {
          seen: [`${name}'s table main has no default route`],
          wrong: `Without a default route ${name} reaches only its own subnet.`,
          mend: [defaultRoute(lab, which)],
        };
      }),
  },
  {
    ...inContainer,
    id: 'default-route-wrong',
    explains: ['addressing.ct1-route', 'addressing.ct2-route'],
    detect: (lab, walk) =>
      firstOfContainers(lab, walk, (net, which) => {
        const { plan } = lab;
        const { name, address: own } = plan[which];
        const best = bestDefault(net);
        if (!best || (best.gateway === plan.gateway && best.device === plan.inner)) return undefined;
        const shown = `default via ${best.gateway ?? 'nobody'} dev ${best.device ?? 'none'}`;
        return {
          seen: [`${name} has ${shown}`],
          wrong:
            best.gateway === own
              ? `${name} is its own gateway.`
              : `${name}'s default route is ${shown}; the gateway is ${plan.gateway} on ${plan.inner}.`,
          mend: [
            ip(name, 'route', 'del', 'default', ...(best.metric ? ['metric', best.metric] : [])),
            defaultRoute(lab, which),
          ],
        };
      }),
  },
];

const { name: uplinkName, address: uplinkAddress, prefix, gateway } = world.uplink;
const atUplink = {
  hop: 'uplink',
  explains: ['bridge.uplink', 'egress.', 'dns.', 'publish.'],
  structural: true,
} as const;

/** The lab host's own uplink, which existed before the learner began. */
export const uplinkCauses: Cause[] = [
  {
    ...atUplink,
    id: 'uplink-enslaved',
    detect: ({ facts }) => {
      const link = findLink(facts.here.links, uplinkName);
      const master = link?.master ?? null;
      if (master === null) return undefined;
      return {
        seen: [`${uplinkName} has the master ${master}`],
        wrong: `As a port of ${master} the uplink hands every packet to the bridge: the lab host itself is cut off. The way out is routing and NAT, not a bridge.`,
        mend: [ip(null, 'link', 'set', uplinkName, 'nomaster')],
      };
    },
  },
  {
    ...atUplink,
    id: 'uplink-down',
    detect: ({ facts }) => {
      const link = findLink(facts.here.links, uplinkName);
      if (!link || link.up) return undefined;
      return {
        seen: [`${uplinkName} is without the flag UP`],
        wrong: `The uplink ${uplinkName} is down, and its routes went with it.`,
        mend: [ip(null, 'link', 'set', uplinkName, 'up'), hostRoute()],
      };
    },
  },
  {
    ...atUplink,
    id: 'uplink-address-missing',
    detect: ({ facts }) => {
      const link = findLink(facts.here.links, uplinkName);
      const found = listAddresses(link);
      if (!link || found.includes(`${uplinkAddress}/${prefix}`)) return undefined;
      return {
        seen: [`${uplinkName} has ${joinWords(found)}`],
        wrong: `The uplink ${uplinkName} has lost its address ${uplinkAddress}/${prefix}, which was there before you.`,
        mend: [ip(null, 'addr', 'add', `${uplinkAddress}/${prefix}`, 'dev', uplinkName), hostRoute()],
      };
    },
  },
  {
    ...atUplink,
    id: 'host-default-route-missing',
    hop: 'routing',
    detect: ({ facts }) => {
      const route = facts.here.routes.find(
        ({ destination, table, gateway: by }) =>
          destination === 'default' && table === 'main' && !(by ?? '').includes(':'),
      );
      if (route?.gateway === gateway && route.device === uplinkName) return undefined;
      return {
        seen: [
          route
            ? `the lab host has default via ${route.gateway ?? 'nobody'} dev ${route.device ?? 'none'}`
            : "the lab host's table main has no default route",
        ],
        wrong: `The lab host itself does not reach the world: its default route ${route ? 'leads elsewhere' : 'is gone'}.`,
        mend: [hostRoute()],
      };
    },
  },
];
