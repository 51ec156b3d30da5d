import { endOf, type Flow, type Place, type Tuple } from './flow.ts';
import { mermaidText } from './mermaid.ts';

/** A packet's way and its answer's as a Mermaid sequence diagram: a participant a place, a note where a hook works. */
export function mermaidOfFlow({ steps }: Flow): string[] {
  const places = steps.filter((step): step is Place => step.kind === 'place');
  const id = (place: Place): string => `p${places.indexOf(place)}`;
  return [
    'sequenceDiagram',
    ...places.map(
      (place) =>
        `  participant ${id(place)} as ${mermaidText(place.device === null ? place.zone : `${place.zone} ${place.device}`)}`,
    ),
    ...wayOf(steps, 'there', id),
    ...wayOf(steps.toReversed(), 'back', id),
  ];
}

function wayOf(steps: Flow['steps'], way: 'there' | 'back', id: (place: Place) => string): string[] {
  const lines: string[] = [];
  let from: Place | undefined;
  for (const step of steps) {
    if (step.kind === 'hook') {
      lines.push(`  Note over ${from ? id(from) : 'p0'}: ${mermaidText(`${step[way].hook}, ${step[way].text}`)}`);
    } else {
      if (from)
        lines.push(`  ${id(from)}${way === 'there' ? '->>' : '-->>'}${id(step)}: ${mermaidText(ends(step[way]))}`);
      from = step;
    }
  }
  return lines;
}

const ends = (packet: Tuple): string => `${endOf(packet, 'source')} → ${endOf(packet, 'destination')}`;
