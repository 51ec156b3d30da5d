import type { Topology } from '@handwired/host';
import { type Beside, mermaidOfBeside, outlineOfBeside, svgOfBeside, textOfBeside } from './beside.ts';
import type { Flow } from './flow.ts';
import { mermaidOfFlow } from './flow-mermaid.ts';
import { svgOfFlow } from './flow-svg.ts';
import { outlineOfFlow, textOfFlow } from './flow-text.ts';
import { mermaidOf } from './mermaid.ts';
import { outlineOf } from './outline.ts';
import { svgOfTopology } from './svg.ts';
import { type TextOptions, textOf } from './text.ts';

/** `plain` is ASCII without drawing: for a screen reader. */
export type PictureForm = 'text' | 'plain' | 'svg' | 'mermaid';

/** What a picture is called; `id` keeps the ids of several on one page apart. */
export interface Head {
  id: string;
  title: string;
}

/** One picture in each of its forms. */
export interface Drawing {
  text: (options: TextOptions) => string[];
  plain: () => string[];
  svg: (head: Head) => string;
  mermaid: () => string[];
}

export const drawTopology = (topology: Topology): Drawing => ({
  text: (options) => textOf(topology, options),
  plain: () => outlineOf(topology),
  svg: (head) => svgOfTopology(topology, head),
  mermaid: () => mermaidOf(topology),
});

export const drawFlow = (flow: Flow): Drawing => ({
  text: (options) => textOfFlow(flow, options),
  plain: () => outlineOfFlow(flow),
  svg: (head) => svgOfFlow(flow, head),
  mermaid: () => mermaidOfFlow(flow),
});

export const drawBeside = (beside: Beside): Drawing => ({
  text: (options) => textOfBeside(beside, options),
  plain: () => outlineOfBeside(beside),
  svg: (head) => svgOfBeside(beside, head),
  mermaid: () => mermaidOfBeside(beside),
});

/** Without a newline at its end. */
export function inForm(drawing: Drawing, form: PictureForm, head: Head, text: TextOptions): string {
  if (form === 'svg') return drawing.svg(head).trimEnd();
  return drawing[form](text).join('\n');
}
