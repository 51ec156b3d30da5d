import { type Label, nodeIds, says, type TopologyNode, world } from '@handwired/host';
import type { Case } from '../queries/check.ts';
import { byNative, fateIn, request, target, translated } from '../queries/iptables.ts';
import { nativeDrop } from '../queries/nftables.ts';
import { type Packet, uplink } from '../queries/packet.ts';
import { compared, marked, strayRoutes, when } from './labels.ts';
import { notesIn, type Wanted } from './plan.ts';

/** What the lab host does with packets that are not for itself: told from rules and settings, in whatever tool they are. */
export function routingNode(the: Case, wanted: Wanted): TopologyNode | undefined {
  const now = notesIn(wanted.now, nodeIds.routing);
  const is = (text: string): boolean => now.includes(text);
  const notes: Label[] = [
    ...compared(
      forwards(the) ? [says.forwards] : [],
      now.filter((text) => text === says.forwards),
      notesIn(wanted.all, nodeIds.routing),
    ),
    ...sourceNat(the, is(says.masquerade(the.plan))),
    ...published(the, is(says.publish(the.plan))),
    ...(wanted.has('egress') ? dropped(the) : []),
    ...strayRoutes(the.facts.here.routes, the.baseline.here.routes),
    ...policy(the),
  ];
  if (notes.length === 0) return undefined;
  return { ...{ id: nodeIds.routing, kind: 'routing', name: 'routing and NAT', mark: null }, addresses: [], notes };
}

/** Rules of the routing policy that were not there before. */
function policy({ facts, baseline }: Case): Label[] {
  const before = new Set(baseline.here.policy.map(({ priority, text }) => `${priority} ${text}`));
  const found = facts.here.policy
    .map(({ priority, text }) => `${priority} ${text}`)
    .filter((text) => !before.has(text));
  return found.slice(0, 3).map((text) => marked(`rule ${text}`, 'extra'));
}

/** ip_forward, or forwarding by both of the links that packets come in by. */
function forwards({ facts, plan }: Case): boolean {
  const on = (key: string): boolean => facts.here.sysctls[`net/ipv4/${key}`] === '1';
  const each = [plan.bridge, uplink].map((device) => `conf/${device}/forwarding`);
  return each.every((key) => facts.here.sysctls[`net/ipv4/${key}`] !== undefined) ? each.every(on) : on('ip_forward');
}

/** A packet from ct1 to the world's site, as it leaves the bridge. */
const leaving = ({ plan }: Case): Packet => ({
  ...{ in: plan.bridge, out: uplink, source: plan.ct1.address, target: world.site.address },
  ...{ protocol: 'tcp', targetPort: 80, state: 'NEW' },
});

function sourceNat(the: Case, isWanted: boolean): Label[] {
  const text = says.masquerade(the.plan);
  const packet = { ...leaving(the), in: undefined };
  const fates = tables(the, 'nat').map((table) => fateIn(table, 'POSTROUTING', packet, the.facts.here)?.target);
  if (fates.some((fate) => fate === 'MASQUERADE' || fate === 'SNAT')) return [marked(text)];
  // A rule of native nft may do it in a way that is not read here.
  if (byNative(the, 'postrouting')) return [marked('source NAT by nft')];
  return when(isWanted, text, 'missing');
}

const tables = ({ facts }: Case, wanted: string) =>
  facts.here.iptables.filter(({ family, name }) => family === 'ip' && name === wanted);

function published(the: Case, isWanted: boolean): Label[] {
  const { hostPort } = the.plan;
  const to = translated(the, 'PREROUTING', request(the, 'PREROUTING'))?.to;
  if (to !== undefined) return [marked(`tcp ${hostPort} → ${to}`, to === target(the) ? null : 'wrong')];
  if (byNative(the, 'prerouting')) return [marked(`tcp ${hostPort}: translated by nft`)];
  const proxy = the.facts.here.sockets.find(({ protocol, port }) => protocol === 'tcp' && port === hostPort);
  if (proxy) return [marked(`tcp ${hostPort}: accepted by ${proxy.program ?? 'a program'}`)];
  return when(isWanted, says.publish(the.plan), 'missing');
}

/** Only what is certain: a rule that can't be read may let it pass. */
function dropped(the: Case): Label[] {
  const packet = leaving(the);
  const text = 'FORWARD drops what goes out';
  const fates = tables(the, 'filter').map((table) => fateIn(table, 'FORWARD', packet, the.facts.here));
  const drops = fates.some((fate) => fate?.certain === true && ['DROP', 'REJECT'].includes(fate.target));
  return when(drops || nativeDrop(the.facts.here, 'forward', packet) !== undefined, text, 'wrong');
}
