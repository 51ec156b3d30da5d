import { z } from 'zod';

/** One entry of the ARP or NDP cache: a moment's state, never compared. */
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

/** From `ip -j neigh show`. */
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

/** A namespace's numbers for others, which `link_netnsid` refers to; `name` is where it is in /run/netns. */
export const NamespaceId = z.object({ nsid: z.int(), name: z.string().nullable() });
export type NamespaceId = z.infer<typeof NamespaceId>;
