import { type ChapterId, EXIT, LabError, type Plan, plannedTopology } from '@handwired/host';
import { besideDocker } from './beside.ts';
import { drawBeside, drawFlow, type Drawing, drawTopology, inForm, type PictureForm } from './draw.ts';
import type { Flow } from './flow.ts';
import { connectivity, dns, egress, hairpin, loopback, publish } from './flows.ts';
import type { TextOptions } from './text.ts';

/** Columns that every text picture fits into. */
const narrowest = 60;

interface Picture {
  /** What it shows, as a caption. */
  title: (plan: Plan) => string;
  of: (plan: Plan) => Drawing;
}

const after = (id: ChapterId, title: string): Picture => ({
  title: () => title,
  of: (plan) => drawTopology(plannedTopology(plan, id)),
});

const way = (flow: (plan: Plan) => Flow): Picture => ({
  title: (plan) => flow(plan).title,
  of: (plan) => drawFlow(flow(plan)),
});

/** Every picture of the course by its name in a guide: `::picture{NAME}`. */
const pictures = {
  tour: after('tour', 'The lab host before you start'),
  namespaces: after('namespaces', 'After this chapter: two network namespaces with nothing in them'),
  bridge: after('bridge', 'After this chapter: a bridge that nothing is plugged into'),
  veth: after('veth', 'After this chapter: cables from both containers to the bridge'),
  addressing: after('addressing', 'After this chapter: addresses and routes'),
  topology: after('publish', 'The whole network'),
  connectivity: way(connectivity),
  egress: way(egress),
  dns: way(dns),
  publish: way(publish),
  loopback: way(loopback),
  hairpin: way(hairpin),
  docker: { title: () => 'By hand, and by Docker', of: (plan) => drawBeside(besideDocker(plan)) },
} satisfies Record<string, Picture>;

export type PictureName = keyof typeof pictures;
export const pictureNames = Object.keys(pictures) as PictureName[];

export interface PictureOptions extends Partial<TextOptions> {
  /** Keeps the ids of several pictures on one page apart; default: the picture's name. */
  id?: string;
}

/** What a picture shows, as a caption. */
export const pictureTitle = (name: string, plan: Plan): string => pictureOf(name).title(plan);

/** A picture made from a plan. Text has at most `columns` characters a line (default and least 60), and no newline at its end. */
export function picture(name: string, plan: Plan, form: PictureForm, options: PictureOptions = {}): string {
  const { title, of } = pictureOf(name);
  const { columns = narrowest, color = false, id = name } = options;
  return inForm(of(plan), form, { id, title: title(plan) }, { columns: Math.max(narrowest, columns), color });
}

function pictureOf(name: string): Picture {
  const found = Object.hasOwn(pictures, name) ? pictures[name as PictureName] : undefined;
  if (found) return found;
  const what = `there is no picture '${name}'; there are: ${pictureNames.join(' ')}`;
  throw new LabError({ what, next: 'lab guide --help', exit: EXIT.usage });
}
