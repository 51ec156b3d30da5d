import { z } from 'zod';

/** An address of a link; lifetimes and flags left out. */
const Address = z.object({
  family: z.enum(['inet', 'inet6']),
  address: z.string(),
  /** Prefix length. */
  prefix: z.int(),
  /** After rtnetlink(7): `global`, `site`, `link`, `host` or a number. */
  scope: z.string(),
});

/** One network interface of a namespace, after `ip -d addr`. */
export const Link = z.object({
  name: z.string(),
  /** ifindex: unique in its namespace only. */
  index: z.int(),
  /** IFLA_INFO_KIND: `veth`, `bridge`, ...; null: a device without one, as lo or a NIC. */
  kind: z.string().nullable(),
  loopback: z.boolean(),
  /** IFF_UP: what `ip link set up` sets. */
  up: z.boolean(),
  /** IFF_LOWER_UP: there is a carrier. */
  carrier: z.boolean(),
  /** It asks and answers by ARP: not IFF_NOARP. */
  arp: z.boolean(),
  mac: z.string(),
  mtu: z.int(),
  /** The bridge (or bond) it is a port of. */
  master: z.string().nullable(),
  /** The other end of a veth pair: its ifindex, and the nsid (as this namespace numbers them) where that is not here. */
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
  /** Instead of its number: the other end, or what it stands on, in the same namespace. */
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

/** From `ip -j -d -N addr show`. Entries that are no links (iproute2 prints `{}` for what it filtered) are left out. */
export function parseLinks(json: unknown): Link[] {
  const filled = z.array(z.record(z.string(), z.unknown())).parse(json);
  const links = filled.filter((entry) => Object.keys(entry).length > 0).map((entry) => IpLink.parse(entry));
  const numbers = new Map(links.map(({ ifname, ifindex }) => [ifname, ifindex]));
  return links.map((link) => linkOf(link, numbers));
}

/** The other end of a veth pair, also in the same namespace, where it is told by its name. */
function peerOf(link: z.infer<typeof IpLink>, numbers: ReadonlyMap<string, number>): Link['peer'] {
  if (link.link_index !== undefined) return { index: link.link_index, nsid: link.link_netnsid ?? null };
  const index = link.linkinfo?.info_kind === 'veth' ? numbers.get(link.link ?? '') : undefined;
  return index === undefined ? null : { index, nsid: null };
}

function linkOf(link: z.infer<typeof IpLink>, numbers: ReadonlyMap<string, number>): Link {
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
    peer: peerOf(link, numbers),
    bridge:
      kind === 'bridge'
        ? {
            stp: number('stp_state'),
            vlanFiltering: number('vlan_filtering'),
            nfCallIptables: number('nf_call_iptables'),
          }
        : null,
    addresses: link.addr_info.flatMap((entry) => addressOf(entry)),
  };
}

function addressOf(entry: unknown): Address[] {
  const parsed = IpAddress.safeParse(entry);
  if (!parsed.success) return [];
  const { family, local, address, prefixlen, scope } = parsed.data;
  if (family !== 'inet' && family !== 'inet6') return [];
  return [{ family, address: local ?? address ?? '', prefix: prefixlen, scope: scopes[scope] ?? scope }];
}
