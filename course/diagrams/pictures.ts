/** The pictures of the course by name, and the forms that a picture can have. */
import {
  type ChapterId,
  dockerHost,
  EXIT,
  LabError,
  nodeIds,
  type Plan,
  plannedTopology,
  says,
  type Topology,
  type TopologyNode,
} from '@handwired/host';
import {
  makeConnectivityFlow,
  makeDnsFlow,
  makeEgressFlow,
  type Flow,
  makeHairpinFlow,
  makeLoopbackFlow,
  makePublishFlow,
} from './flow.ts';
import { drawFlowAsMermaid, drawFlowAsOutline, drawFlowAsSvg, drawFlowAsText } from './flow-draw.ts';
import { cell, formatPixels, renderSvg, escapeXml } from './svg.ts';
import {
  renderMermaidLines,
  drawSvgElements,
  drawAsMermaid,
  escapeMermaid,
  drawAsOutline,
  drawAsSvg,
  type TextOptions,
  drawAsText,
} from './topology.ts';

/** Columns that every text picture fits into. */
const narrowest = 60;

interface Picture {
  /** What it shows, as a caption. */
  title: (plan: Plan) => string;
  draw: (plan: Plan) => Drawing;
}

const createNetworkPicture = (id: ChapterId, title: string): Picture => ({
  title: () => title,
  draw: (plan) => drawTopology(plannedTopology(plan, id)),
});

const createFlowPicture = (flow: (plan: Plan) => Flow): Picture => ({
  title: (plan) => flow(plan).title,
  draw: (plan) => drawFlow(flow(plan)),
});

/** Every picture of the course by its name in a guide: `::picture{NAME}`. */
const pictures = {
  tour: createNetworkPicture('tour', 'The lab host before you start'),
  namespaces: createNetworkPicture('namespaces', 'After this chapter: two network namespaces with nothing in them'),
  bridge: createNetworkPicture('bridge', 'After this chapter: a bridge that nothing is plugged into'),
  veth: createNetworkPicture('veth', 'After this chapter: cables from both containers to the bridge'),
  addressing: createNetworkPicture('addressing', 'After this chapter: addresses and routes'),
  topology: createNetworkPicture('publish', 'The whole network'),
  connectivity: createFlowPicture(makeConnectivityFlow),
  egress: createFlowPicture(makeEgressFlow),
  dns: createFlowPicture(makeDnsFlow),
  publish: createFlowPicture(makePublishFlow),
  loopback: createFlowPicture(makeLoopbackFlow),
  hairpin: createFlowPicture(makeHairpinFlow),
  docker: { title: () => 'By hand, and by Docker', draw: (plan) => drawBeside(compareWithDocker(plan)) },
} satisfies Record<string, Picture>;

type PictureName = keyof typeof pictures;
/** The name of every picture. */
export const pictureNames = Object.keys(pictures) as PictureName[];

/** How a picture is drawn. */
interface PictureOptions extends Partial<TextOptions> {
  /** Makes ids unique on a page with several pictures. Default: the picture's name. */
  id?: string;
}

/** What a picture shows, as a caption. */
export const pictureTitle = (name: string, plan: Plan): string => findPicture(name).title(plan);

/** A picture made from a plan. Text has at most `columns` characters a line (default and least 60), and no newline at its end. */
export function picture(name: string, plan: Plan, form: PictureForm, options: PictureOptions = {}): string {
  const { title, draw } = findPicture(name);
  const { columns = narrowest, color = false, id = name } = options;
  return renderDrawing(draw(plan), form, { id, title: title(plan) }, { columns: Math.max(narrowest, columns), color });
}

function findPicture(name: string): Picture {
  const found = Object.hasOwn(pictures, name) ? pictures[name as PictureName] : undefined;
  if (found) return found;
  const what = `there is no picture '${name}'; there are: ${pictureNames.join(' ')}`;
  throw new LabError({ what, next: 'lab guide --help', exit: EXIT.usage });
}

// Forms.

/** `plain` is an outline in ASCII, for a screen reader. */
export type PictureForm = 'text' | 'plain' | 'svg' | 'mermaid';

/** A picture's title, and an id that is unique on the page. */
interface Head {
  id: string;
  title: string;
}

/** One picture in each of its forms. */
interface Drawing {
  text: (options: TextOptions) => string[];
  plain: () => string[];
  svg: (head: Head) => string;
  mermaid: () => string[];
}

/** A topology, planned or found on a lab host, as a picture. */
export const drawTopology = (topology: Topology): Drawing => ({
  text: (options) => drawAsText(topology, options),
  plain: () => drawAsOutline(topology),
  svg: (head) => drawAsSvg(topology, head),
  mermaid: () => drawAsMermaid(topology),
});

const drawFlow = (flow: Flow): Drawing => ({
  text: (options) => drawFlowAsText(flow, options),
  plain: () => drawFlowAsOutline(flow),
  svg: (head) => drawFlowAsSvg(flow, head),
  mermaid: () => drawFlowAsMermaid(flow),
});

const drawBeside = (beside: Beside): Drawing => ({
  text: (options) => drawBesideAsText(beside, options),
  plain: () => drawBesideAsOutline(beside),
  svg: (head) => drawBesideAsSvg(beside, head),
  mermaid: () => drawBesideAsMermaid(beside),
});

/** A picture in one of its forms, without a newline at its end. */
export function renderDrawing(drawing: Drawing, form: PictureForm, head: Head, text: TextOptions): string {
  if (form === 'svg') return drawing.svg(head).trimEnd();
  return drawing[form](text).join('\n');
}

// Two topologies side by side.

/** Topologies that are compared, each with its heading. */
type Beside = { heading: string; topology: Topology }[];

/** One container of ours beside the same container as Docker makes it in chapter docker. */
function compareWithDocker(plan: Plan): Beside {
  const { bridge, container } = dockerHost;
  const dockers: Plan = {
    ...plan,
    // Docker's default network where no other is set, and a veth name of the kind that Docker makes up.
    bridge,
    subnet: '172.17.0.0/16',
    prefix: 16,
    gateway: '172.17.0.1',
    ct1: { name: container, veth: 'veth1a2b3c4', peer: 'eth0', address: '172.17.0.2' },
  };
  return [
    { heading: 'by hand', topology: planOneContainer(plan) },
    {
      heading: `docker run -p ${plan.hostPort}:${plan.containerPort}`,
      topology: moveToDockerHost(planOneContainer(dockers), plan),
    },
  ];
}

/**
 * Renames the host and its uplink to those of Docker's namespace. Name servers are left out, because Docker takes
 * them from the host's resolv.conf.
 */
function moveToDockerHost({ zones, ...rest }: Topology, { resolver }: Plan): Topology {
  const { netns, inner, address, prefix } = dockerHost;
  const renameUplink = (node: TopologyNode): TopologyNode =>
    node.id === nodeIds.uplink
      ? { ...node, name: inner, addresses: [{ text: `${address}/${prefix}`, mark: null }] }
      : node;
  return {
    ...rest,
    zones: zones.map((zone) => ({
      ...zone,
      name: zone.kind === 'host' ? `netns ${netns}` : zone.name,
      nodes: zone.nodes.map(renameUplink),
      notes: zone.notes.filter(({ text }) => text !== says.resolver(resolver)),
    })),
  };
}

function planOneContainer(plan: Plan): Topology {
  const { zones, ...rest } = plannedTopology(plan);
  return {
    ...rest,
    zones: zones
      .filter(({ id }) => id !== 'world' && id !== 'container ct2')
      .map((zone) => ({ ...zone, nodes: zone.nodes.filter(({ id }) => id !== 'port ct2') })),
  };
}

function drawBesideAsText(beside: Beside, { columns, color }: TextOptions): string[] {
  const drawn = beside.map(({ heading, topology }) => [heading, ...drawAsText(topology, { columns, color: false })]);
  const widths = drawn.map((lines) => Math.max(...lines.map((line) => line.length)));
  const together = widths.reduce((all, one) => all + one, 0) + 2 * (drawn.length - 1);
  if (together > columns)
    return beside.flatMap(({ heading, topology }, at) => [
      ...(at > 0 ? [''] : []),
      heading,
      ...drawAsText(topology, { columns, color }),
    ]);
  const rows = Math.max(...drawn.map((lines) => lines.length));
  return Array.from({ length: rows }, (_, row) =>
    drawn
      .map((lines, at) => (lines[row] ?? '').padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

const drawBesideAsOutline = (beside: Beside): string[] =>
  beside.flatMap(({ heading, topology }) => [heading, ...drawAsOutline(topology).map((line) => `  ${line}`)]);

function drawBesideAsSvg(beside: Beside, { id, title }: { id: string; title: string }): string {
  let x = 0;
  const body: string[] = [];
  let height = 0;
  for (const { heading, topology } of beside) {
    const one = drawSvgElements(topology);
    body.push(
      `<g transform="translate(${formatPixels(x)} ${2 * cell.height})"><text class="title" x="${cell.width}" y="-14">${escapeXml(heading)}</text>${one.body.join('')}</g>`,
    );
    x += one.width + 3 * cell.width;
    height = Math.max(height, one.height + 2 * cell.height);
  }
  return renderSvg(
    { id, title, description: drawBesideAsOutline(beside).join('\n'), width: x - 3 * cell.width, height },
    body,
  );
}

const drawBesideAsMermaid = (beside: Beside): string[] => [
  'flowchart TB',
  ...beside.flatMap(({ heading, topology }, at) => {
    const prefix = String.fromCodePoint(97 + at);
    return [`  subgraph ${prefix}["${escapeMermaid(heading)}"]`, ...renderMermaidLines(topology, prefix), '  end'];
  }),
];
