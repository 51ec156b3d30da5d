import { world } from '@handwired/host';
import { addressesOf, linkOf, listOf } from '../../checks/look.ts';
import type { Cause } from '../cause.ts';
import { hostRoute, ip } from '../commands.ts';

const { name, address, prefix, gateway } = world.uplink;
const common = { hop: 'uplink', explains: ['bridge.uplink', 'egress.', 'dns.', 'publish.'], structural: true } as const;

/** The lab host's own way out, which was there before the learner. */
export const uplink: Cause[] = [
  {
    ...common,
    id: 'uplink-enslaved',
    detect: ({ facts }) => {
      const link = linkOf(facts.here.links, name);
      const master = link?.master ?? null;
      if (master === null) return undefined;
      return {
        seen: [`${name} has the master ${master}`],
        wrong: `As a port of ${master} the uplink hands every packet to the bridge: the lab host itself is cut off. The way out is routing and NAT, not a bridge.`,
        mend: [ip(null, 'link', 'set', name, 'nomaster')],
      };
    },
  },
  {
    ...common,
    id: 'uplink-down',
    detect: ({ facts }) => {
      const link = linkOf(facts.here.links, name);
      if (!link || link.up) return undefined;
      return {
        seen: [`${name} is without the flag UP`],
        wrong: `The uplink ${name} is down, and its routes went with it.`,
        mend: [ip(null, 'link', 'set', name, 'up'), hostRoute()],
      };
    },
  },
  {
    ...common,
    id: 'uplink-address-missing',
    detect: ({ facts }) => {
      const link = linkOf(facts.here.links, name);
      const found = addressesOf(link);
      if (!link || found.includes(`${address}/${prefix}`)) return undefined;
      return {
        seen: [`${name} has ${listOf(found)}`],
        wrong: `The uplink ${name} has lost its address ${address}/${prefix}, which was there before you.`,
        mend: [ip(null, 'addr', 'add', `${address}/${prefix}`, 'dev', name), hostRoute()],
      };
    },
  },
  {
    ...common,
    id: 'host-default-route-missing',
    hop: 'routing',
    detect: ({ facts }) => {
      const route = facts.here.routes.find(
        ({ destination, table, gateway: by }) =>
          destination === 'default' && table === 'main' && !(by ?? '').includes(':'),
      );
      if (route?.gateway === gateway && route.device === name) return undefined;
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
