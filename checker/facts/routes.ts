import { z } from 'zod';

/** One route of any table, after `ip -N route show table all`. */
export const Route = z.object({
  /** `unicast`, `local`, `broadcast`, `blackhole`, `unreachable`, ... */
  type: z.string(),
  /** `default`, an address or a prefix. */
  destination: z.string(),
  gateway: z.string().nullable(),
  device: z.string().nullable(),
  /** `main`, `local`, `default` or a number. */
  table: z.string(),
  /** `kernel`, `boot`, `static`, ... or a number. */
  protocol: z.string(),
  source: z.string().nullable(),
  metric: z.int().nullable(),
  nexthops: z.array(z.object({ gateway: z.string().nullable(), device: z.string().nullable() })),
});
export type Route = z.infer<typeof Route>;

/** One rule of the routing policy, after `ip rule`. */
export const PolicyRule = z.object({ priority: z.int(), text: z.string() });
export type PolicyRule = z.infer<typeof PolicyRule>;

// linux/rtnetlink.h: rtm_type, rt_class_t, rtm_protocol.
const types = 'unspec unicast local broadcast anycast multicast blackhole unreachable prohibit throw nat'.split(' ');
const tables: Record<string, string> = { '253': 'default', '254': 'main', '255': 'local' };
const protocols: Record<string, string> = {
  '1': 'redirect',
  '2': 'kernel',
  '3': 'boot',
  '4': 'static',
  '9': 'ra',
  '16': 'dhcp',
};

const Hop = z.object({
  gateway: z.string().optional(),
  via: z.object({ host: z.string() }).optional(),
  dev: z.string().optional(),
});

const IpRoute = Hop.extend({
  type: z.string().default('1'),
  dst: z.string(),
  table: z.string().default('254'),
  protocol: z.string().default('3'),
  prefsrc: z.string().optional(),
  metric: z.int().optional(),
  nexthops: z.array(Hop).default([]),
});

const gatewayOf = (hop: z.infer<typeof Hop>): string | null => hop.gateway ?? hop.via?.host ?? null;

/** From `ip -j -d -N route show table all`: IPv4 and IPv6, every table. */
export function parseRoutes(json: unknown): Route[] {
  return z
    .array(IpRoute)
    .parse(json)
    .map((route) => ({
      type: types[Number(route.type)] ?? route.type,
      destination: route.dst,
      gateway: gatewayOf(route),
      device: route.dev ?? null,
      table: tables[route.table] ?? route.table,
      protocol: protocols[route.protocol] ?? route.protocol,
      source: route.prefsrc ?? null,
      metric: route.metric ?? null,
      nexthops: route.nexthops.map((hop) => ({ gateway: gatewayOf(hop), device: hop.dev ?? null })),
    }));
}

const IpRule = z.looseObject({ priority: z.int() });

/** From `ip -j -d -N rule show`; the text is every selector and action that was printed, by key. */
export function parsePolicyRules(json: unknown): PolicyRule[] {
  return z
    .array(IpRule)
    .parse(json)
    .map(({ priority, ...rest }) => ({
      priority,
      text: Object.entries(rest)
        .filter(([key]) => key !== 'protocol')
        .map(([key, value]) =>
          key === 'table' ? `table ${tables[String(value)] ?? String(value)}` : `${key} ${plain(value)}`,
        )
        .join(' '),
    }));
}

const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
