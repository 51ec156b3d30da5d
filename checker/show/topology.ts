import {
  type ChapterId,
  dockerHost,
  nodeIds,
  type Topology,
  type TopologyLink,
  worldZone,
  type Zone,
} from '@handwired/host';
import { noExperiments, type Source, takeFacts } from '../grading/grade.ts';
import { findBegun } from '../queries/chapters.ts';
import type { Case, GradedChapter } from '../queries/check.ts';
import { findNetns, findPairs } from '../queries/links.ts';
import { asciiJson, escapeText } from '../report/escape.ts';
import { containerZone } from './container.ts';
import { hostView, type HostView } from './host.ts';
import { markBeyond, extraNode, type Wanted, listWanted, markWhen } from './labels.ts';

/** At most this many unplanned containers are drawn. */
const mostExtra = 6;

/** The chapters that change what is drawn, the last first. */
const drawn: ChapterId[] = ['cleanup', 'publish', 'dns', 'egress', 'addressing', 'veth', 'bridge', 'namespaces'];

/**
 * The links and namespaces of a lab host and their connections. Marks what is missing, wrong or not planned. Pure.
 * `through`: the last chapter whose work should exist.
 */
export function readTopology(known: Omit<Case, 'evidence'>, through: ChapterId): Topology {
  const lab: Case = { ...known, evidence: noExperiments };
  const wanted = listWanted(lab.plan, through);
  const host = hostView(lab, wanted);
  const containers = (['ct1', 'ct2'] as const).flatMap((which) => containerZone(lab, which, wanted) ?? []);
  const zones = [worldZone(), host.zone, ...containers, ...extraZones(lab, wanted)];
  return escaped({ schemaVersion: 1, zones, links: listLinks(lab, host, zones, wanted) });
}

/** The last begun chapter that changes what is drawn; `tour` if there is none. */
export function findLastDrawn(chapters: readonly GradedChapter[], lab: Omit<Case, 'evidence'>): ChapterId {
  const now = findBegun(chapters, lab);
  return drawn.find((id) => now.includes(id)) ?? 'tour';
}

/** Named network namespaces that are neither planned nor in the baseline. */
function extraZones({ facts, baseline, plan }: Case, wanted: Wanted): Zone[] {
  const planned = new Set([plan.ct1.name, plan.ct2.name, ...baseline.namespaces.map(({ name }) => name)]);
  const found = facts.namespaces.filter(({ name }) => !planned.has(name) && findNetns(facts, name));
  return found.slice(0, mostExtra).map(({ name, net }, at) => {
    const mark = markBeyond(name, wanted);
    const links = (net?.links ?? []).filter(({ loopback }) => !loopback);
    // In Docker's namespace only the link that leads to it is drawn.
    const shown = mark === null ? links.filter((link) => link.name === dockerHost.inner) : links.slice(0, 4);
    const more = found.length - mostExtra;
    return {
      id: `container ${name}`,
      kind: 'container',
      name,
      mark,
      nodes: shown.map((link) =>
        extraNode(`${name} ${link.name}`, link.kind === 'veth' ? 'veth' : 'device', link, mark),
      ),
      notes: [
        ...markWhen(links.length > shown.length, `and ${links.length - shown.length} more links`, null),
        ...markWhen(at === mostExtra - 1 && more > 0, `and ${more} more`, 'extra'),
      ],
    };
  });
}

function listLinks(lab: Case, { ids }: HostView, zones: readonly Zone[], { now }: Wanted): TopologyLink[] {
  const drawnIds = new Set(zones.flatMap(({ nodes }) => nodes.map(({ id }) => id)));
  const there = [...uplinkCable(ids), ...routed(drawnIds), ...ports(lab, ids), ...cables(lab, ids)];
  const same = ({ from, to }: TopologyLink) => there.some((link) => link.from === from && link.to === to);
  const missing = now.links.filter((link) => !same(link)).map((link): TopologyLink => ({ ...link, mark: 'missing' }));
  return [...there, ...missing].filter(({ from, to }) => drawnIds.has(from) && drawnIds.has(to));
}

const uplinkCable = (ids: HostView['ids']): TopologyLink[] => {
  const [gateway] = worldZone().nodes;
  return gateway && ids.has(nodeIds.uplink)
    ? [{ from: gateway.id, to: nodeIds.uplink, kind: 'cable', mark: null }]
    : [];
};

const routed = (drawnIds: ReadonlySet<string>): TopologyLink[] =>
  drawnIds.has(nodeIds.routing)
    ? [
        { from: nodeIds.uplink, to: nodeIds.routing, kind: 'routed', mark: null },
        { from: nodeIds.routing, to: nodeIds.bridge, kind: 'routed', mark: null },
      ]
    : [];

/** The connections from drawn links to drawn bridges that have them as ports. */
function ports({ plan }: Case, ids: HostView['ids']): TopologyLink[] {
  return [...ids].flatMap(([to, link]): TopologyLink[] => {
    const bridge = [...ids].find(([, { name }]) => name === link.master);
    if (!bridge) return [];
    const isWrong = to === nodeIds.uplink || (to.startsWith('port ') && link.master !== plan.bridge);
    return [{ from: bridge[0], to, kind: 'port', mark: isWrong ? 'wrong' : null }];
  });
}

/** The veth pairs from the lab host to named containers. */
function cables({ facts, plan }: Case, ids: HostView['ids']): TopologyLink[] {
  const idOf = (which: 'ct1' | 'ct2', index: number, name: string): string => {
    const own = ids.get(nodeIds.port(which))?.peer?.index === index;
    return own ? nodeIds.inner(which) : `${which} ${name}`;
  };
  return facts.namespaces.flatMap(({ name }) => {
    const which = (['ct1', 'ct2'] as const).find((one) => plan[one].name === name);
    return findPairs(facts, { name }).flatMap(({ inner, host }): TopologyLink[] => {
      const from = [...ids].find(([, { index }]) => index === host.index)?.[0];
      const to = which ? idOf(which, inner.index, inner.name) : `${name} ${inner.name}`;
      return from === undefined ? [] : [{ from, to, kind: 'cable', mark: null }];
    });
  });
}

/** Escapes all texts, so that none can control a terminal or reorder a line. Ids contain names too. */
function escaped(topology: Topology): Topology {
  return JSON.parse(JSON.stringify(topology), (_key, value: unknown) =>
    typeof value === 'string' ? escapeText(value) : value,
  ) as Topology;
}

/**
 * The current topology of a lab host, from one snapshot. `through`: see readTopology; default: the last begun chapter.
 */
export async function showLab(source: Source, through?: ChapterId): Promise<Topology> {
  const { chapters, plan, baseline, record } = source;
  const lab = { facts: await takeFacts(source), baseline, plan, record };
  return readTopology(lab, through ?? findLastDrawn(chapters, lab));
}

/** A topology as JSON: host/topology.ts has its shape. */
export const showJson = (topology: Topology): string => asciiJson(topology);
