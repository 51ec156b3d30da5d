import {
  dockerHost,
  nodeIds,
  type Plan,
  plannedTopology,
  says,
  type Topology,
  type TopologyNode,
} from '@handwired/host';
import { chartOf, mermaidText } from './mermaid.ts';
import { outlineOf } from './outline.ts';
import { drawing } from './svg.ts';
import { cell, px, svgOf, xml } from './svg-parts.ts';
import { type TextOptions, textOf } from './text.ts';

/** Topologies that are compared, each with its heading. */
export type Beside = { heading: string; topology: Topology }[];

/** One container of ours, and the same as chapter docker's daemon makes it, in the namespace that it has for a host. */
export function besideDocker(plan: Plan): Beside {
  const { bridge, container } = dockerHost;
  const dockers: Plan = {
    ...plan,
    // The default network of a daemon that was told no other, and a name such as it makes them up.
    ...{ bridge, subnet: '172.17.0.0/16', prefix: 16, gateway: '172.17.0.1' },
    ct1: { name: container, veth: 'veth1a2b3c4', peer: 'eth0', address: '172.17.0.2' },
  };
  return [
    { heading: 'by hand', topology: oneContainer(plan) },
    {
      heading: `docker run -p ${plan.hostPort}:${plan.containerPort}`,
      topology: onDockerHost(oneContainer(dockers), plan),
    },
  ];
}

/** With its own uplink. Which name servers Docker hands on depends on the host's resolv.conf: they are left out. */
function onDockerHost({ zones, ...rest }: Topology, { resolver }: Plan): Topology {
  const { netns, inner, address, prefix } = dockerHost;
  const uplink = (node: TopologyNode): TopologyNode =>
    node.id === nodeIds.uplink
      ? { ...node, name: inner, addresses: [{ text: `${address}/${prefix}`, mark: null }] }
      : node;
  return {
    ...rest,
    zones: zones.map((zone) => ({
      ...zone,
      name: zone.kind === 'host' ? `netns ${netns}` : zone.name,
      nodes: zone.nodes.map(uplink),
      notes: zone.notes.filter(({ text }) => text !== says.resolver(resolver)),
    })),
  };
}

function oneContainer(plan: Plan): Topology {
  const { zones, ...rest } = plannedTopology(plan);
  return {
    ...rest,
    zones: zones
      .filter(({ id }) => id !== 'world' && id !== 'container ct2')
      .map((zone) => ({ ...zone, nodes: zone.nodes.filter(({ id }) => id !== 'port ct2') })),
  };
}

export function textOfBeside(beside: Beside, { columns, color }: TextOptions): string[] {
  const drawn = beside.map(({ heading, topology }) => [heading, ...textOf(topology, { columns, color: false })]);
  const widths = drawn.map((lines) => Math.max(...lines.map((line) => line.length)));
  const together = widths.reduce((all, one) => all + one, 0) + 2 * (drawn.length - 1);
  if (together > columns)
    return beside.flatMap(({ heading, topology }, at) => [
      ...(at > 0 ? [''] : []),
      heading,
      ...textOf(topology, { columns, color }),
    ]);
  const rows = Math.max(...drawn.map((lines) => lines.length));
  return Array.from({ length: rows }, (_, row) =>
    drawn
      .map((lines, at) => (lines[row] ?? '').padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

export const outlineOfBeside = (beside: Beside): string[] =>
  beside.flatMap(({ heading, topology }) => [heading, ...outlineOf(topology).map((line) => `  ${line}`)]);

export function svgOfBeside(beside: Beside, { id, title }: { id: string; title: string }): string {
  let x = 0;
  const body: string[] = [];
  let height = 0;
  for (const { heading, topology } of beside) {
    const one = drawing(topology);
    body.push(
      `<g transform="translate(${px(x)} ${2 * cell.height})"><text class="title" x="${cell.width}" y="-14">${xml(heading)}</text>${one.body.join('')}</g>`,
    );
    x += one.width + 3 * cell.width;
    height = Math.max(height, one.height + 2 * cell.height);
  }
  return svgOf({ id, title, description: outlineOfBeside(beside).join('\n'), width: x - 3 * cell.width, height }, body);
}

export const mermaidOfBeside = (beside: Beside): string[] => [
  'flowchart TB',
  ...beside.flatMap(({ heading, topology }, at) => {
    const prefix = String.fromCodePoint(97 + at);
    return [`  subgraph ${prefix}["${mermaidText(heading)}"]`, ...chartOf(topology, prefix), '  end'];
  }),
];
