import { type Label, nodeIds, says, type TopologyNode, type Zone } from '@handwired/host';
import type { Net } from '../facts/facts.ts';
import type { Link } from '../facts/iproute.ts';
import type { Case } from '../queries/check.ts';
import { findNetns, findPair, findResolvConf } from '../queries/links.ts';
import type { Which } from '../queries/paths.ts';
import {
  labelAddresses,
  labelAddressesOn,
  compared,
  extraNode,
  marked,
  missingNode,
  nodeIn,
  notesIn,
  strayRoutes,
  troubles,
  type Wanted,
  markWhen,
  zoneIn,
} from './labels.ts';

/** A planned container as it is now. Undefined: it does not exist and is not due yet. */
export function containerZone(lab: Case, which: Which, wanted: Wanted): Zone | undefined {
  const { name } = lab.plan[which];
  const id = `container ${which}`;
  const netns = findNetns(lab.facts, name);
  const planned = zoneIn(wanted.now, id);
  if (!netns) {
    if (!planned) return undefined;
    const notes = planned.notes.map(({ text }) => marked(text, 'missing'));
    return { ...planned, mark: 'missing', nodes: planned.nodes.map(missingNode), notes };
  }
  const head = { id, kind: 'container' as const, name, mark: zoneIn(wanted.all, id) ? null : ('extra' as const) };
  if (!netns.net) return { ...head, nodes: [], notes: [marked('it could not be entered', 'wrong')] };
  return { ...head, nodes: listNodes(lab, which, netns.net, wanted), notes: listNotes(lab, which, netns.net, wanted) };
}

function listNodes(lab: Case, which: Which, net: Net, wanted: Wanted): TopologyNode[] {
  const id = nodeIds.inner(which);
  const links = net.links.filter(({ loopback }) => !loopback);
  const main =
    findPair(lab.facts, lab.plan[which], lab.plan)?.inner ?? links.find(({ name }) => name === lab.plan.inner);
  const others = links
    .filter((link) => link !== main)
    .map((link) => extraNode(`${which} ${link.name}`, 'device', link));
  if (main) return [innerNode(lab, main, id, wanted), ...others];
  const planned = nodeIn(wanted.now, id);
  return planned ? [missingNode(planned), ...others] : others;
}

function innerNode(lab: Case, link: Link, id: string, wanted: Wanted): TopologyNode {
  const { plan } = lab;
  const named = !wanted.has('addressing') || link.name === plan.inner;
  return {
    id,
    kind: link.kind === 'veth' ? 'veth' : 'device',
    name: link.name,
    mark: named && link.kind === 'veth' ? null : 'wrong',
    addresses: compared(labelAddressesOn(link), labelAddresses(wanted.now, id), labelAddresses(wanted.all, id)),
    notes: [
      ...markWhen(!named, `is to be called ${plan.inner}`, 'wrong'),
      ...markWhen(link.kind !== 'veth', `is of kind ${link.kind ?? 'none'}, no veth`, 'wrong'),
      ...markWhen(sharesMac(lab, link), `MAC ${link.mac} twice`, 'wrong'),
      // Moving the link into the container set it down. Chapter addressing sets it up again.
      ...(wanted.has('addressing') ? troubles(link, true) : []),
    ],
  };
}

/** Does another link have the same MAC address? A bridge sends frames for one address to one port only. */
function sharesMac({ facts, plan }: Case, link: Link): boolean {
  const inner = [plan.ct1, plan.ct2].flatMap(({ name }) => findNetns(facts, name)?.net?.links ?? []);
  const all = [...inner, ...facts.here.links].filter(({ loopback, name }) => !loopback && !isBridgePort(facts, name));
  return all.filter(({ mac }) => mac === link.mac).length > 1;
}

/** Is the link a port of a bridge? Nobody sends frames to a port's own MAC address. */
const isBridgePort = (facts: Case['facts'], name: string): boolean =>
  facts.here.ports.some(({ device }) => device === name);

function listNotes(lab: Case, which: Which, net: Net, wanted: Wanted): Label[] {
  const [now, all] = [notesIn(wanted.now, `container ${which}`), notesIn(wanted.all, `container ${which}`)];
  const about = (texts: string[], pattern: RegExp): string[] => texts.filter((text) => pattern.test(text));
  const lo = net.links.find(({ loopback }) => loopback);
  const isAlone = net.links.every(({ loopback }) => loopback);
  return [
    ...markWhen(lo?.up === false, says.loopbackDown(!isAlone), wanted.has('addressing') ? 'wrong' : null),
    ...compared(listRoutes(net), about(now, /^default /), about(all, /^default /)),
    ...strayRoutes(net.routes),
    ...(wanted.has('dns') ? describeResolver(lab, which, net) : []),
    ...listListeners(net, about(now, /^listens /)),
  ];
}

const listRoutes = ({ routes }: Net): string[] =>
  routes
    .filter(
      ({ destination, table, gateway, device }) =>
        destination === 'default' && table === 'main' && !(gateway ?? device ?? '').includes(':'),
    )
    .map(({ gateway, device }) => (gateway === null ? `default by ${device ?? 'nothing'}` : says.gateway(gateway)));

/** Labels of the name servers. A server on loopback is wrong if nothing in the container listens there. */
function describeResolver({ facts, plan }: Case, which: Which, net: Net): Label[] {
  const text = findResolvConf(facts, plan[which].name)?.text ?? '';
  const servers = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, server = '']) => server).slice(0, 3);
  if (servers.length === 0) return [marked(says.resolver(plan.resolver), 'missing')];
  return servers.map((server) => {
    const inside = net.sockets.some(({ protocol, address }) => protocol === 'udp' && address.startsWith('127.'));
    return marked(says.resolver(server), server.startsWith('127.') && !inside ? 'wrong' : null);
  });
}

function listListeners({ sockets }: Net, wanted: readonly string[]): Label[] {
  const tcp = sockets.filter(({ protocol, address }) => protocol === 'tcp' && !address.includes(':'));
  const all = tcp.map(({ port, address }) => ({
    text: says.listens('tcp', port),
    isLocal: address.startsWith('127.'),
  }));
  const open = new Set(all.filter(({ isLocal }) => !isLocal).map(({ text }) => text));
  const shut = new Set(all.filter(({ isLocal, text }) => isLocal && !open.has(text)).map(({ text }) => text));
  return [
    ...[...open].map((text) => marked(text)),
    ...[...shut].map((text) =>
      marked(`${text.replace('listens on ', '')}, loopback only`, wanted.includes(text) ? 'wrong' : null),
    ),
    ...wanted.filter((text) => !open.has(text) && !shut.has(text)).map((text) => marked(text, 'missing')),
  ].slice(0, 6);
}
