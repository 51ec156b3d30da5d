import { isIPv4 } from 'node:net';
import { type Plan, world } from '@handwired/host';
import type { Facts } from '../facts/facts.ts';
import type { Errand } from './shape.ts';

/** One end as it was typed: one of `trafficEnds`, or an IPv4 address. */
export type EndWord = string;

/** The errand of `lab trace FROM TO --port N`; undefined: it takes facts to know who has the address FROM. */
export function errandOf(from: EndWord, to: EndWord, port: number | undefined, plan: Plan): Errand | undefined {
  const sender = named(from, plan);
  return sender && errandFrom(sender, to, port, plan);
}

/** The same from an address; undefined: no namespace of the lab host has it. */
export function errandFromAddress(
  from: string,
  to: EndWord,
  port: number | undefined,
  { plan, facts }: { plan: Plan; facts: Facts },
): Errand | undefined {
  const owner = ownerOf(from, facts);
  return owner === undefined ? undefined : errandFrom({ in: owner, from }, to, port, plan);
}

type Sender = Pick<Errand, 'in' | 'from'>;

function errandFrom(sender: Sender, to: EndWord, port: number | undefined, plan: Plan): Errand {
  const kind = port === undefined ? 'icmp' : port === 53 ? 'udp' : 'tcp';
  return { ...sender, to: targetOf(to, sender, kind, plan), kind, port: port ?? 0 };
}

function named(word: EndWord, plan: Plan): Sender | undefined {
  if (word === 'ct1' || word === 'ct2') return { in: plan[word].name, from: null };
  if (word === 'host') return { in: 'root', from: null };
  const beyond: Record<string, string> = { outside: world.outside, lan: world.lanPeer, internet: world.site.address };
  const from = beyond[word];
  return from === undefined ? undefined : { in: 'world', from };
}

/** The first namespace with this address. */
function ownerOf(address: string, { here, namespaces, world: beyond }: Facts): string | undefined {
  const spaces = [{ name: 'root', net: here }, ...namespaces, { name: 'world', net: beyond.net }];
  const has = ({ net }: (typeof spaces)[number]): boolean =>
    net?.links.some((link) => link.addresses.some((one) => one.address === address)) === true;
  return spaces.find(has)?.name;
}

function targetOf(word: EndWord, sender: Sender, kind: Errand['kind'], plan: Plan): string {
  if (isIPv4(word)) return word;
  if (word === 'ct1' || word === 'ct2') return plan[word].address;
  if (word === 'outside') return world.outside;
  if (word === 'lan') return world.lanPeer;
  // The site answers no DNS; the internet's resolver that the plan names does.
  if (word !== 'host') return kind === 'udp' ? plan.resolver : world.site.address;
  return sender.in === 'root' ? '127.0.0.1' : sender.in === 'world' ? world.uplink.address : plan.gateway;
}
