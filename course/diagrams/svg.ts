/** The size of one cell of the layout in pixels: one character. */
export const cell = { width: 8.4, height: 20 } as const;

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text escaped for elements and quoted attributes of HTML and SVG. */
export const escapeXml = (text: string): string => text.replaceAll(/[&<>"']/g, (found) => entities[found] ?? '');

/** A coordinate with one decimal at most. */
export const formatPixels = (value: number): string => String(Math.round(value * 10) / 10);

/**
 * The style of every diagram. A page sets its colours by the variables --diagram-*. On its own a diagram is legible in
 * light and dark: text and lines are currentColor.
 */
const style = `
svg.diagram { font: 13px/20px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
svg.diagram:root { color-scheme: light dark; color: CanvasText; background: Canvas; }
.diagram text { fill: currentColor; }
.diagram .title { font-weight: 700; }
.diagram .soft { opacity: .82; }
.diagram .zone > rect { fill: currentColor; fill-opacity: .035; stroke: currentColor; stroke-opacity: .35; }
.diagram .zone > .title { paint-order: stroke; stroke: var(--diagram-ground, Canvas); stroke-width: 6px; stroke-linejoin: round; }
.diagram .node > rect { fill: var(--diagram-ground, Canvas); stroke: currentColor; stroke-width: 1.5; }
.diagram .bridge > rect { stroke: var(--diagram-bridge, light-dark(#0b7a75, #4fd1c5)); stroke-width: 2.5; }
.diagram .veth > rect { stroke: var(--diagram-veth, light-dark(#b45309, #f0a95b)); }
.diagram .uplink > rect, .diagram .device > rect { stroke: var(--diagram-uplink, light-dark(#2563eb, #7fb0ff)); }
.diagram .routing > rect { stroke: var(--diagram-routing, light-dark(#7c3aed, #b89cff)); }
.diagram .others > rect { stroke-opacity: .4; }
.diagram .spot > rect { stroke-opacity: .45; }
.diagram .wire { fill: none; stroke: currentColor; stroke-width: 2; stroke-opacity: .65; }
.diagram .wire.routed { stroke-dasharray: 2 5; stroke-linecap: round; }
.diagram .wire.way { stroke-linecap: round; stroke-linejoin: round; }
.diagram .missing > rect, .diagram .wire.missing { stroke: var(--diagram-wrong, light-dark(#c62828, #ff8a80)); stroke-opacity: 1; stroke-dasharray: 5 4; }
.diagram .wrong > rect, .diagram .wire.wrong { stroke: var(--diagram-wrong, light-dark(#c62828, #ff8a80)); stroke-opacity: 1; }
.diagram .extra > rect, .diagram .wire.extra { stroke: var(--diagram-extra, light-dark(#8a5a00, #f2c063)); stroke-opacity: 1; stroke-dasharray: 1 3; }
.diagram text.missing, .diagram text.wrong { fill: var(--diagram-wrong, light-dark(#c62828, #ff8a80)); }
.diagram text.extra { fill: var(--diagram-extra, light-dark(#8a5a00, #f2c063)); }
.diagram text.changed { fill: var(--diagram-changed, light-dark(#6d28d9, #c4adff)); }
`;

/** A picture's title and its description for those who can't see it. `id` must be unique on the page. */
export interface SvgHead {
  id: string;
  title: string;
  description: string;
  /** Pixels. */
  width: number;
  height: number;
}

/** One self-contained picture: nothing is loaded, nothing runs. */
export function renderSvg({ id, title, description, width, height }: SvgHead, body: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" class="diagram" viewBox="-6 -4 ${formatPixels(width + 12)} ${formatPixels(height + 8)}" width="${formatPixels(width + 12)}" height="${formatPixels(height + 8)}" role="img" aria-labelledby="${escapeXml(id)}-title ${escapeXml(id)}-desc">
<title id="${escapeXml(id)}-title">${escapeXml(title)}</title>
<desc id="${escapeXml(id)}-desc">${escapeXml(description)}</desc>
<style>${style}</style>
${body.join('\n')}
</svg>
`;
}
