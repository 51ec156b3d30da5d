import type { Topology, TopologyNode, Zone } from '@handwired/host';
import { longest, rowWidth, titleOf, wide } from './boxes.ts';

/** A cable, from the top: the host's end and the inner one. One of the two may be missing. */
interface Column {
  port?: TopologyNode | undefined;
  inner?: TopologyNode | undefined;
  width: number;
}

/** What stands side by side under the bridges: a container with its cables, or a cable that leads to none. */
export interface Unit {
  zone?: Zone | undefined;
  columns: Column[];
  /** The id of the bridge that its first cable is in. */
  bridge: string | undefined;
  width: number;
}

/** Those in one bridge are neighbours; otherwise as the topology has them. */
export function unitsOf(topology: Topology, gap: number): Unit[] {
  const nodes = new Map(topology.zones.flatMap((zone) => zone.nodes).map((node) => [node.id, node]));
  const over = (id: string, kind: string): string | undefined =>
    topology.links.find((link) => link.to === id && link.kind === kind)?.from;
  const column = (port: TopologyNode | undefined, inner: TopologyNode | undefined): Column => ({
    ...{ port, inner },
    width: Math.max(...[port, inner].map((node) => (node ? wide(node) : 0))),
  });
  const bridgeOf = (columns: Column[]): string | undefined => {
    const bridges = columns.flatMap(({ port }) => (port ? [over(port.id, 'port')] : []));
    return bridges.find((bridge) => bridge !== undefined);
  };
  const containers = topology.zones
    .filter(({ kind }) => kind === 'container')
    .map((zone): Unit => {
      const columns = zone.nodes.map((inner) => column(nodes.get(over(inner.id, 'cable') ?? ''), inner));
      const inside = rowWidth(
        columns.map(({ width }) => width),
        gap,
      );
      const width = Math.max(inside, longest([titleOf(zone), ...zone.notes])) + 4;
      return { zone, columns, bridge: bridgeOf(columns), width };
    });
  const used = new Set(containers.flatMap(({ columns }) => columns.map(({ port }) => port?.id)));
  const loose = topology.zones
    .filter(({ kind }) => kind === 'host')
    .flatMap((zone) => zone.nodes.filter(({ kind, id }) => kind === 'veth' && !used.has(id)))
    .map((port): Unit => {
      const columns = [column(port, undefined)];
      return { columns, bridge: bridgeOf(columns), width: wide(port) + 4 };
    });
  return together([...containers, ...loose]);
}

const together = (units: readonly Unit[]): Unit[] => {
  const order = [...new Set(units.map(({ bridge }) => bridge))];
  return order.flatMap((bridge) => units.filter((unit) => unit.bridge === bridge));
};
