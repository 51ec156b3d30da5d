import { z } from 'zod';

/** A bridge's port, after `bridge -d link`. */
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

/** From `bridge -j -d link show`; the bridges themselves, which it lists too, are left out. */
export function parsePorts(json: unknown): Port[] {
  return z
    .array(BridgeLink)
    .parse(json)
    .filter((port) => port.master !== undefined && port.master !== port.ifname)
    .map(({ ifname, master, ...rest }) => ({ device: ifname, bridge: master ?? '', ...rest }));
}

/** One forwarding entry of a bridge: which MAC address is behind which port. A moment's state, never compared. */
export const Forwarding = z.object({ mac: z.string(), device: z.string(), state: z.string() });
export type Forwarding = z.infer<typeof Forwarding>;

const FdbEntry = z.object({
  mac: z.string(),
  ifname: z.string(),
  master: z.string().optional(),
  state: z.string().default(''),
});

/** From `bridge -j -d fdb show`: entries of bridges; the filters of single devices (`self`) are left out. */
export function parseForwarding(json: unknown): Forwarding[] {
  return z
    .array(FdbEntry)
    .parse(json)
    .filter((entry) => entry.master !== undefined)
    .map(({ mac, ifname, state }) => ({ mac, device: ifname, state }));
}
