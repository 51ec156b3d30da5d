import { z } from 'zod';

/** An address of a link, without lifetimes and flags. */
const Address = z.object({
  family: z.enum(['inet', 'inet6']),
  address: z.string(),
  /** Prefix length. */
  prefix: z.int(),
  /** Named as in rtnetlink(7): `global`, `site`, `link`, `host`, or a number. */
  scope: z.string(),
});

/** One network interface of a namespace, from `ip -d addr`. */
export const Link = z.object({
  name: z.string(),
  /** The ifindex. It is unique only in its namespace. */
  index: z.int(),
  /** IFLA_INFO_KIND: `veth`, `bridge`, ...; null: the device has none, like lo or a NIC. */
  kind: z.string().nullable(),
  loopback: z.boolean(),
  /** IFF_UP: what `ip link set up` sets. */
  up: z.boolean(),
  /** IFF_LOWER_UP: the link has a carrier. */
  carrier: z.boolean(),
  /** The link uses ARP: IFF_NOARP is not set. */
  arp: z.boolean(),
  mac: z.string(),
  mtu: z.int(),
  /** The bridge (or bond) that has this link as a port. */
  master: z.string().nullable(),
  /** A veth's other end: its ifindex, and the nsid that this namespace has for the peer's; null: the same namespace. */
  peer: z.object({ index: z.int(), nsid: z.int().nullable() }).nullable(),
  /** Options of a bridge that change what it forwards. */
  bridge: z.object({ stp: z.int(), vlanFiltering: z.int(), nfCallIptables: z.int() }).nullable(),
  addresses: z.array(Address),
});
export type Link = z.infer<typeof Link>;
type Address = z.infer<typeof Address>;

const scopes: Record<string, string> = { '0': 'global', '200': 'site', '253': 'link', '254': 'host' };

const IpAddress = z.object({
  family: z.string(),
  local: z.string().optional(),
  address: z.string().optional(),
  prefixlen: z.int(),
  scope: z.string(),
});

const IpLink = z.object({
  ifindex: z.int(),
  link_index: z.int().optional(),
  /** Name of the other end, or of the underlying link, in the same namespace. ip prints it instead of `link_index`. */
  link: z.string().optional(),
  link_netnsid: z.int().optional(),
  ifname: z.string().min(1).max(64),
  flags: z.array(z.string()).default([]),
  mtu: z.int().default(0),
  master: z.string().optional(),
  address: z.string().default(''),
  linkinfo: z
    .object({ info_kind: z.string().optional(), info_data: z.record(z.string(), z.unknown()).optional() })
    .optional(),
  addr_info: z.array(z.unknown()).default([]),
});

/** Parses `ip -j -d -N addr show`. Skips the `{}` that iproute2 prints for each link that it filtered out. */
export function parseLinks(json: unknown): Link[] {
  const filled = z.array(z.record(z.string(), z.unknown())).parse(json);
  const links = filled.filter((entry) => Object.keys(entry).length > 0).map((entry) => IpLink.parse(entry));
  const numbers = new Map(links.map(({ ifname, ifindex }) => [ifname, ifindex]));
  return links.map((link) => readLink(link, numbers));
}

/** Finds the other end of a veth pair. For a peer in the same namespace, ip prints the name instead of the ifindex. */
function readPeer(link: z.infer<typeof IpLink>, numbers: ReadonlyMap<string, number>): Link['peer'] {
  if (link.link_index !== undefined) return { index: link.link_index, nsid: link.link_netnsid ?? null };
  const index = link.linkinfo?.info_kind === 'veth' ? numbers.get(link.link ?? '') : undefined;
  return index === undefined ? null : { index, nsid: null };
}

function readLink(link: z.infer<typeof IpLink>, numbers: ReadonlyMap<string, number>): Link {
  const kind = link.linkinfo?.info_kind ?? null;
  const data = link.linkinfo?.info_data ?? {};
  const number = (key: string): number => (typeof data[key] === 'number' ? data[key] : 0);
  return {
    name: link.ifname,
    index: link.ifindex,
    kind,
    loopback: link.flags.includes('LOOPBACK'),
    up: link.flags.includes('UP'),
    carrier: link.flags.includes('LOWER_UP'),
    arp: !link.flags.includes('NOARP'),
    mac: link.address,
    mtu: link.mtu,
    master: link.master ?? null,
    peer: readPeer(link, numbers),
    bridge:
      kind === 'bridge'
        ? {
            stp: number('stp_state'),
            vlanFiltering: number('vlan_filtering'),
            nfCallIptables: number('nf_call_iptables'),
          }
        : null,
    addresses: link.addr_info.flatMap((entry) => readAddress(entry)),
  };
}

function readAddress(entry: unknown): Address[] {
  const parsed = IpAddress.safeParse(entry);
  if (!parsed.success) return [];
  const { family, local, address, prefixlen, scope } = parsed.data;
  if (family !== 'inet' && family !== 'inet6') return [];
  return [{ family, address: local ?? address ?? '', prefix: prefixlen, scope: scopes[scope] ?? scope }];
}

/** One entry of the ARP or NDP cache. It changes by itself, so it is never compared. */
export const Neighbour = z.object({
  address: z.string(),
  device: z.string(),
  mac: z.string().nullable(),
  state: z.string(),
});
export type Neighbour = z.infer<typeof Neighbour>;

const IpNeighbour = z.object({
  dst: z.string(),
  dev: z.string().default(''),
  lladdr: z.string().optional(),
  state: z.array(z.string()).default([]),
});

/** Parses `ip -j neigh show`. */
export function parseNeighbours(json: unknown): Neighbour[] {
  return z
    .array(IpNeighbour)
    .parse(json)
    .map((entry) => ({
      address: entry.dst,
      device: entry.dev,
      mac: entry.lladdr ?? null,
      state: entry.state.join(' '),
    }));
}

/** One namespace's number (nsid) for another, as `link_netnsid` uses it. `name` is the other's entry in /run/netns. */
export const NamespaceId = z.object({ nsid: z.int(), name: z.string().nullable() });
export type NamespaceId = z.infer<typeof NamespaceId>;

/** A port of a bridge, from `bridge -d link`. */
export const Port = z.object({
  device: z.string(),
  bridge: z.string(),
  /** STP: `forwarding`, `disabled`, ... */
  state: z.string(),
  hairpin: z.boolean(),
  /** An isolated port exchanges frames with no other isolated port. */
  isolated: z.boolean(),
  learning: z.boolean(),
  flood: z.boolean(),
});
export type Port = z.infer<typeof Port>;

const BridgeLink = z.object({
  ifname: z.string(),
  master: z.string().optional(),
  state: z.string().default(''),
  hairpin: z.boolean().default(false),
  isolated: z.boolean().default(false),
  learning: z.boolean().default(true),
  flood: z.boolean().default(true),
});

/** Parses `bridge -j -d link show`. Skips the bridges themselves, which it lists too. */
export function parsePorts(json: unknown): Port[] {
  return z
    .array(BridgeLink)
    .parse(json)
    .filter((port) => port.master !== undefined && port.master !== port.ifname)
    .map(({ ifname, master, ...rest }) => ({ device: ifname, bridge: master ?? '', ...rest }));
}

/**
 * One forwarding entry of a bridge: which MAC address is behind which port. `state` is empty for a learned entry,
 * otherwise `permanent` or `static`. Entries change by themselves, so they are never compared.
 */
export const Forwarding = z.object({ mac: z.string(), device: z.string(), state: z.string() });
export type Forwarding = z.infer<typeof Forwarding>;

const FdbEntry = z.object({
  mac: z.string(),
  ifname: z.string(),
  master: z.string().optional(),
  state: z.string().default(''),
});

/** Parses `bridge -j -d fdb show`. Keeps entries of bridges and skips the filters of single devices (`self`). */
export function parseForwarding(json: unknown): Forwarding[] {
  return z
    .array(FdbEntry)
    .parse(json)
    .filter((entry) => entry.master !== undefined)
    .map(({ mac, ifname, state }) => ({ mac, device: ifname, state }));
}

/** One route of any table, from `ip -N route show table all`. */
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

/** One rule of the routing policy, from `ip rule`. */
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

const readGateway = (hop: z.infer<typeof Hop>): string | null => hop.gateway ?? hop.via?.host ?? null;

/** Parses `ip -j -d -N route show table all`: IPv4 and IPv6, every table. */
export function parseRoutes(json: unknown): Route[] {
  return z
    .array(IpRoute)
    .parse(json)
    .map((route) => ({
      type: types[Number(route.type)] ?? route.type,
      destination: route.dst,
      gateway: readGateway(route),
      device: route.dev ?? null,
      table: tables[route.table] ?? route.table,
      protocol: protocols[route.protocol] ?? route.protocol,
      source: route.prefsrc ?? null,
      metric: route.metric ?? null,
      nexthops: route.nexthops.map((hop) => ({ gateway: readGateway(hop), device: hop.dev ?? null })),
    }));
}

const IpRule = z.looseObject({ priority: z.int() });

/** Parses `ip -j -d -N rule show`. The text has every selector and action that ip printed, each after its key. */
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

/** A socket that waits for packets: TCP in LISTEN, UDP without a peer. */
export const Socket = z.object({
  protocol: z.enum(['tcp', 'udp']),
  /** As ss prints it: `0.0.0.0`, `127.0.0.53%lo`, `[::]`, `*`. */
  address: z.string(),
  port: z.int(),
  /** Name of the program, as the kernel has it (15 bytes); null: no process has the socket open. */
  program: z.string().nullable(),
  /** The pid in the learner's PID namespace. */
  pid: z.int().nullable(),
});

export type Socket = z.infer<typeof Socket>;
