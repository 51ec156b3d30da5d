import { addressesOf, linkOf, listOf, newLinks } from '../../checks/look.ts';
import type { Cause } from '../cause.ts';
import { bridge as whole, ip } from '../commands.ts';

const common = { hop: 'bridge', structural: true } as const;

/** Chapter 02: the bridge itself. */
export const bridge: Cause[] = [
  {
    ...common,
    id: 'bridge-missing',
    explains: ['bridge.exists'],
    detect: (the) => {
      const { facts, baseline, plan } = the;
      const link = linkOf(facts.here.links, plan.bridge);
      if (link?.kind === 'bridge') return undefined;
      const others = newLinks(facts, baseline, 'bridge').map(({ name }) => name);
      const inside = facts.namespaces.find(({ net }) => linkOf(net?.links, plan.bridge));
      const wrong = link
        ? `${plan.bridge} is of kind ${link.kind ?? 'none'}: it is no bridge.`
        : inside
          ? `${plan.bridge} is in ${inside.name}; it belongs to the lab host.`
          : others.length > 0
            ? `There is a bridge ${listOf(others)}; the plan calls it ${plan.bridge}.`
            : `The lab host has no bridge ${plan.bridge}.`;
      const away = link
        ? [ip(null, 'link', 'del', plan.bridge)]
        : inside
          ? [ip(inside.name, 'link', 'del', plan.bridge)]
          : [];
      return {
        seen: [`bridges of yours on the lab host: ${listOf(others)}`],
        wrong,
        mend: [...away, ...whole(the)],
      };
    },
  },
  {
    ...common,
    id: 'bridge-address-wrong-mask',
    explains: ['bridge.address'],
    detect: ({ facts, plan }) => {
      const wanted = `${plan.gateway}/${plan.prefix}`;
      const found = addressesOf(linkOf(facts.here.links, plan.bridge));
      const near = found.find((entry) => entry.startsWith(`${plan.gateway}/`));
      if (!near || found.includes(wanted)) return undefined;
      return {
        seen: [`${plan.bridge} has ${listOf(found)}`],
        wrong: `The address is right, its prefix is not: without /${plan.prefix} it is ${near}.`,
        mend: [ip(null, 'addr', 'del', near, 'dev', plan.bridge), ip(null, 'addr', 'add', wanted, 'dev', plan.bridge)],
      };
    },
  },
  {
    ...common,
    id: 'bridge-address-missing',
    explains: ['bridge.address'],
    detect: ({ facts, plan }) => {
      const wanted = `${plan.gateway}/${plan.prefix}`;
      const link = linkOf(facts.here.links, plan.bridge);
      if (link?.kind !== 'bridge' || addressesOf(link).includes(wanted)) return undefined;
      const elsewhere = facts.here.links.find((one) => addressesOf(one).includes(wanted));
      const found = addressesOf(link);
      return {
        seen: [`${plan.bridge} has ${listOf(found)}`],
        wrong: elsewhere
          ? `${wanted} is on ${elsewhere.name}, and belongs on ${plan.bridge}.`
          : `${plan.bridge} has not the gateway's address ${wanted}${found.length > 0 ? `, but ${listOf(found)}` : ''}.`,
        mend: [
          ...(elsewhere ? [ip(null, 'addr', 'del', wanted, 'dev', elsewhere.name)] : []),
          ip(null, 'addr', 'add', wanted, 'dev', plan.bridge),
        ],
      };
    },
  },
  {
    ...common,
    id: 'bridge-down',
    explains: ['bridge.up'],
    detect: ({ facts, plan }) => {
      const link = linkOf(facts.here.links, plan.bridge);
      if (link?.kind !== 'bridge' || link.up) return undefined;
      return {
        seen: [`${plan.bridge} is without the flag UP`],
        wrong: `${plan.bridge} is down: it forwards nothing, and its route is not used. A new link is down until it is set up.`,
        mend: [ip(null, 'link', 'set', plan.bridge, 'up')],
      };
    },
  },
];
