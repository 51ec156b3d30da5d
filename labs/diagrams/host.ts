import type { TopologyNode, Zone } from '@handwired/host';
import { type Box, boxOf, wide } from './boxes.ts';
import { along, around, bottomOf, columnsOf, frame, gap, inset, type Placed } from './place.ts';

/** What is drawn side by side on the lab host, above the cables. */
interface Rows {
  devices: TopologyNode[];
  routing: TopologyNode[];
  bridges: TopologyNode[];
}

export function hostRows(host: Zone | undefined): Rows {
  const row = (...kinds: TopologyNode['kind'][]) => (host?.nodes ?? []).filter(({ kind }) => kinds.includes(kind));
  return { devices: row('uplink', 'device', 'others'), routing: row('routing'), bridges: row('bridge') };
}

interface HostPlan {
  host: Zone;
  rows: Rows;
  joined: TopologyNode[];
  lone: TopologyNode[];
  placed: Placed[];
  top: number;
  width: number;
}

/** The lab host, row by row, its uplink and routing above the first bridge. */
export function hostBoxes({ host, rows, joined, lone, placed, top, width }: HostPlan): Box[] {
  const bars = joined.map((bridge) => barOf(bridge, placed));
  const [bar] = bars;
  const span = { axis: Math.floor(bar ? bar.x + bar.width / 2 : width / 2), from: inset, to: width - inset };
  const inside: Box[] = [];
  const next = (): number => (inside.length === 0 ? top + 2 : bottomOf(inside) + 1);
  for (const row of [rows.devices, rows.routing]) inside.push(...along(row, next(), span));
  const y = next();
  const free = Math.max(0, ...placed.map(({ x, width: one }) => x + one)) + gap;
  const beside = bars.length === 0 ? span : { axis: free, from: free, to: width };
  inside.push(...bars.map((box) => ({ ...box, y, linesAt: y + 2 })), ...along(lone, y, beside));
  const ports = next();
  inside.push(
    ...placed.flatMap((unit) =>
      columnsOf(unit).flatMap(({ port, middle }) => (port ? [around(port, middle, ports)] : [])),
    ),
  );
  const noted = bottomOf(inside);
  return [frame(host, { x: 0, y: top, width, height: noted - top + host.notes.length + 1 }, noted), ...inside];
}

/** A bridge as wide as all that is plugged into it; its row is not known yet. */
function barOf(bridge: TopologyNode, placed: readonly Placed[]): Box {
  const ports = placed
    .filter((unit) => unit.bridge === bridge.id)
    .flatMap(columnsOf)
    .flatMap(({ port, middle }) => (port ? [around(port, middle, 0)] : []));
  const [left, right] = [Math.min(...ports.map(({ x }) => x)), Math.max(...ports.map(({ x, width }) => x + width))];
  const missing = Math.max(0, wide(bridge) - (right - left));
  const x = Math.max(inset, left - Math.floor(missing / 2));
  return { ...boxOf(bridge, x, 0), width: right - left + missing };
}
