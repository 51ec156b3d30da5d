import { type Label, nodeIds, plannedTopology, says, type TopologyNode, world, type Zone } from '@handwired/host';
import type { Link } from '../facts/iproute.ts';
import type { Case } from '../queries/check.ts';
import { byNative, followChain, request, target, translateRequest } from '../queries/iptables.ts';
import { findLink, findPair, findPairs } from '../queries/links.ts';
import { findNftDrop } from '../queries/nftables.ts';
import { type Packet, uplink } from '../queries/packet.ts';
import {
  labelAddresses,
  labelAddressesOn,
  markBeyond,
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
} from './labels.ts';

/** What the lab host does with packets of others, according to its settings and the rules of every tool. */
function routingNode(lab: Case, wanted: Wanted): TopologyNode | undefined {
  const now = notesIn(wanted.now, nodeIds.routing);
  const is = (text: string): boolean => now.includes(text);
  const notes: Label[] = [
    ...compared(
      forwards(lab) ? [says.forwards] : [],
      now.filter((text) => text === says.forwards),
      notesIn(wanted.all, nodeIds.routing),
    ),
    ...sourceNat(lab, is(says.masquerade(lab.plan))),
    ...published(lab, is(says.publish(lab.plan))),
    ...(wanted.has('egress') ? dropped(lab) : []),
    ...strayRoutes(lab.facts.here.routes, lab.baseline.here.routes),
    ...policy(lab),
  ];
  if (notes.length === 0) return undefined;
  return { id: nodeIds.routing, kind: 'routing', name: 'routing and NAT', mark: null, addresses: [], notes };
}

/** Routing policy rules that the baseline lacks. */
function policy({ facts, baseline }: Case): Label[] {
  const before = new Set(baseline.here.policy.map(({ priority, text }) => `${priority} ${text}`));
  const found = facts.here.policy
    .map(({ priority, text }) => `${priority} ${text}`)
    .filter((text) => !before.has(text));
  return found.slice(0, 3).map((text) => marked(`rule ${text}`, 'extra'));
}

/** Is ip_forward on, or forwarding on both links that packets enter by? */
function forwards({ facts, plan }: Case): boolean {
  const on = (key: string): boolean => facts.here.sysctls[`net/ipv4/${key}`] === '1';
  const each = [plan.bridge, uplink].map((device) => `conf/${device}/forwarding`);
  return each.every((key) => facts.here.sysctls[`net/ipv4/${key}`] !== undefined) ? each.every(on) : on('ip_forward');
}

/** A packet from ct1 to the world's site, as it leaves the bridge. */
const leaving = ({ plan }: Case): Packet => ({
  in: plan.bridge,
  out: uplink,
  source: plan.ct1.address,
  target: world.site.address,
  protocol: 'tcp',
  targetPort: 80,
  state: 'NEW',
});

function sourceNat(lab: Case, isWanted: boolean): Label[] {
  const text = says.masquerade(lab.plan);
  const packet = { ...leaving(lab), in: undefined };
  const fates = tables(lab, 'nat').map((table) => followChain(table, 'POSTROUTING', packet, lab.facts.here)?.target);
  if (fates.some((fate) => fate === 'MASQUERADE' || fate === 'SNAT')) return [marked(text)];
  // A native nft rule may translate it, but those are not read here.
  if (byNative(lab, 'postrouting')) return [marked('source NAT by nft')];
  return markWhen(isWanted, text, 'missing');
}

const tables = ({ facts }: Case, wanted: string) =>
  facts.here.iptables.filter(({ family, name }) => family === 'ip' && name === wanted);

function published(lab: Case, isWanted: boolean): Label[] {
  const { hostPort } = lab.plan;
  const to = translateRequest(lab, 'PREROUTING', request(lab, 'PREROUTING'))?.to;
  if (to !== undefined) return [marked(`tcp ${hostPort} → ${to}`, to === target(lab) ? null : 'wrong')];
  if (byNative(lab, 'prerouting')) return [marked(`tcp ${hostPort}: translated by nft`)];
  const proxy = lab.facts.here.sockets.find(({ protocol, port }) => protocol === 'tcp' && port === hostPort);
  if (proxy) return [marked(`tcp ${hostPort}: accepted by ${proxy.program ?? 'a program'}`)];
  return markWhen(isWanted, says.publish(lab.plan), 'missing');
}

/** Labels of certain drops. A rule that can't be read may let the packet pass. */
function dropped(lab: Case): Label[] {
  const packet = leaving(lab);
  const text = 'FORWARD drops what goes out';
  const fates = tables(lab, 'filter').map((table) => followChain(table, 'FORWARD', packet, lab.facts.here));
  const drops = fates.some((fate) => fate?.certain === true && ['DROP', 'REJECT'].includes(fate.target));
  return markWhen(drops || findNftDrop(lab.facts.here, 'forward', packet) !== undefined, text, 'wrong');
}

/** The lab host's zone, and its links by the ids of their nodes. */
export interface HostView {
  zone: Zone;
  ids: ReadonlyMap<string, Link>;
}

/** At most this many unplanned links are drawn. A lab host may have thousands. */
const mostExtra = 8;

/** The lab host's own zone, with bridge, uplink, routing and what is beyond the plan. */
export function hostView(lab: Case, wanted: Wanted): HostView {
  const ids = listIds(lab);
  const planned = [nodeIds.uplink, nodeIds.bridge, ...(['ct1', 'ct2'] as const).map(nodeIds.port)];
  const [extra, more] = extraLinks(lab, ids);
  for (const link of extra) ids.set(`host ${link.name}`, link);
  const nodes = planned.flatMap((id) => {
    const link = ids.get(id);
    if (link) return [plannedNode(lab, id, link, wanted)];
    const missing = nodeIn(wanted.now, id);
    return missing ? [missingNode(missing)] : [];
  });
  const routing = routingNode(lab, wanted);
  const others = extra.map((link) =>
    extraNode(`host ${link.name}`, findKind(link), link, markBeyond(link.name, wanted)),
  );
  const beside = [...foreign(lab), ...strays(lab, more)];
  const zone: Zone = {
    id: 'host',
    kind: 'host',
    name: 'lab host',
    mark: null,
    notes: [],
    nodes: [...nodes, ...(routing ? [routing] : []), ...others, ...beside],
  };
  return { zone, ids };
}

/** The planned links by node id. Veths are identified by the kernel's data about both ends, not by name. */
function listIds({ facts, plan }: Case): Map<string, Link> {
  const found: [string, Link | undefined][] = [
    [nodeIds.uplink, findLink(facts.here.links, world.uplink.name)],
    [nodeIds.bridge, findLink(facts.here.links, plan.bridge)],
    ...(['ct1', 'ct2'] as const).map((which): [string, Link | undefined] => [
      nodeIds.port(which),
      findPair(facts, plan[which], plan)?.host ?? unplugged(facts.here.links, plan[which].veth),
    ]),
  ];
  return new Map(found.flatMap(([id, link]) => (link ? [[id, link] as const] : [])));
}

/** A veth with the planned name of a host end, when it leads to no container. */
const unplugged = (links: readonly Link[], name: string): Link | undefined =>
  links.find((link) => link.name === name && link.kind === 'veth');

function extraLinks({ facts, baseline }: Case, ids: ReadonlyMap<string, Link>): [Link[], number] {
  const planned = new Set([...ids.values()].map(({ index }) => index));
  const found = facts.here.links.filter(
    ({ loopback, name, index }) => !loopback && !planned.has(index) && !findLink(baseline.here.links, name),
  );
  return [found.slice(0, mostExtra), found.length - mostExtra];
}

const findKind = ({ kind }: Link): TopologyNode['kind'] => (kind === 'bridge' || kind === 'veth' ? kind : 'device');

function plannedNode(lab: Case, id: string, link: Link, wanted: Wanted): TopologyNode {
  const kind = nodeIn(plannedTopology(lab.plan), id)?.kind ?? 'device';
  const isOther = (kind === 'bridge' || kind === 'veth') && link.kind !== kind;
  return {
    id,
    kind,
    name: link.name,
    mark: isOther ? 'wrong' : nodeIn(wanted.all, id) ? null : 'extra',
    addresses: compared(labelAddressesOn(link), labelAddresses(wanted.now, id), labelAddresses(wanted.all, id)),
    notes: [
      ...markWhen(isOther, `is of kind ${link.kind ?? 'none'}, no ${kind}`, 'wrong'),
      ...troubles(link, wanted.has('addressing')),
      ...(kind === 'veth' ? portNotes(lab, link) : []),
      ...markWhen(kind === 'uplink' && link.master !== null, `is in ${link.master ?? ''}`, 'wrong'),
    ],
  };
}

function portNotes(lab: Case, link: Link): Label[] {
  const { facts, plan } = lab;
  const port = facts.here.ports.find(({ device }) => device === link.name);
  const known = findLink(facts.here.links, plan.bridge) !== undefined;
  const pairs = [plan.ct1, plan.ct2].flatMap((container) => findPairs(facts, container));
  const inner = pairs.find(({ host }) => host === link)?.inner;
  return [
    ...markWhen(link.master === null && known, 'is in no bridge', 'wrong'),
    ...markWhen(link.master !== null && link.master !== plan.bridge, `is in ${link.master ?? ''}`, 'wrong'),
    // A single isolated port still exchanges frames with all others.
    ...markWhen(port?.isolated === true, 'is isolated', bothIsolated(lab) ? 'wrong' : null),
    ...markWhen(
      link.up && link.carrier && port !== undefined && port.state !== 'forwarding',
      `port state ${port?.state ?? ''}`,
      'wrong',
    ),
    ...markWhen(inner === undefined, 'leads to no container', 'wrong'),
    ...markWhen(
      inner !== undefined && inner.mtu !== link.mtu,
      `MTU ${link.mtu}, other end ${inner?.mtu ?? 0}`,
      'wrong',
    ),
  ];
}

const bothIsolated = ({ facts, plan }: Case): boolean =>
  facts.here.ports.filter(({ bridge, isolated }) => bridge === plan.bridge && isolated).length > 1;

const others = (id: string, name: string, notes: Label[]): TopologyNode[] =>
  notes.length === 0 ? [] : [{ id, kind: 'others', name, mark: null, addresses: [], notes }];

/** Links and namespaces that existed before the learner began. They are not the learner's and stay. */
function foreign({ facts, baseline }: Case): TopologyNode[] {
  const links = baseline.here.links.filter(({ name, loopback }) => !loopback && name !== world.uplink.name);
  const names = [...links, ...baseline.namespaces.filter(({ real }) => real)].map(({ name }) => name);
  const now = new Set([...facts.here.links, ...facts.namespaces].map(({ name }) => name));
  return others(
    'foreign',
    'not yours',
    names.slice(0, 6).map((name) => marked(name, now.has(name) ? null : 'missing')),
  );
}

/**
 * Nodes for namespaces without a name in /run/netns, except Docker's, and for the number of links that are not drawn.
 */
function strays({ facts, baseline }: Case, more: number): TopologyNode[] {
  const known = new Set([facts.host.inode, facts.world.inode, ...facts.namespaces.map(({ inode }) => inode)]);
  const dockers = facts.mounts.filter(({ path }) => path.includes('/docker/netns/'));
  for (const { inode } of [...baseline.processes, ...baseline.mounts, ...dockers]) known.add(inode);
  const kept = [...facts.processes, ...facts.mounts].filter(({ inode }) => !known.has(inode));
  const inodes = [...new Set(kept.map(({ inode }) => inode))].slice(0, 3);
  const notes = inodes.map((inode) => {
    const process = facts.processes.find((one) => one.inode === inode);
    return marked(process ? `kept by process ${process.pid}` : 'kept by a mount', 'extra');
  });
  return [
    ...others('strays', 'netns without a name', notes),
    ...others('more', 'not drawn', markWhen(more > 0, `${more} more links`, 'extra')),
  ];
}
