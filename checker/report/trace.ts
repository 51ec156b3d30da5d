import { styleText } from 'node:util';
import type { Packet } from '../trace/seen.ts';
import type { ChainStep, LinkStep, Step, Trace } from '../trace/shape.ts';
import { endText } from '../trace/steps.ts';
import { escapeText } from './escape.ts';

type Paint = (style: 'bold' | 'red' | 'green' | 'dim', text: string) => string;

const kinds = { icmp: 'an echo request (ping)', tcp: 'a TCP connection', udp: 'a DNS question' } as const;
const colors = { answered: 'green', refused: 'red', lost: 'red' } as const;

/** One packet's way, a line for each place; what was changed is bold. */
export function renderTrace({ from, to, errand, ...trace }: Trace, { color }: { color: boolean }): string {
  const paint: Paint = (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
  const { end, steps, connections, diagnosis, notes } = trace;
  const title = `${from} to ${to}: ${kinds[errand.kind]} to ${endText(errand.to, errand.port)}`;
  const wide = Math.max(4, ...steps.map((step) => step.in.length));
  const way = steps.flatMap((step, n) => {
    const turns = step.back && steps[n - 1]?.back !== true;
    return [...(turns ? ['', 'the answer:'] : []), ...lineOf(step, wide, paint)];
  });
  const tracked = connections.map(
    ({ in: where, connection: { original, reply } }) =>
      `${where}: asked ${tuple(original)}, awaits the answer from ${tuple(reply)}`,
  );
  return [
    paint('bold', title),
    '',
    ...way,
    '',
    ...(tracked.length > 0 ? ['conntrack notes', ...tracked.map((line) => `  ${line}`), ''] : []),
    `${paint(colors[end.verdict], end.verdict)}: ${escapeText(end.because)}`,
    ...(diagnosis
      ? [`diagnosis: ${escapeText(diagnosis.wrong)} (${diagnosis.cause}, at ${escapeText(diagnosis.hop)})`]
      : []),
    ...notes.map((line) => `note: ${escapeText(line)}`),
    '',
  ].join('\n');
}

const tuple = ({
  source,
  destination,
  sourcePort,
  destinationPort,
}: Trace['connections'][number]['connection']['reply']) =>
  `${endText(source, sourcePort ?? 0)} -> ${endText(destination, destinationPort ?? 0)}`;

function lineOf(step: Step, wide: number, paint: Paint): string[] {
  const place = `  ${escapeText(step.in).padEnd(wide)}  `;
  const lines = step.kind === 'link' ? [linkLine(step, paint)] : chainLines(step, paint);
  return lines.map((line, n) => (n === 0 ? place : ' '.repeat(place.length)) + line);
}

function linkLine({ device, way, packet, changed }: LinkStep, paint: Paint): string {
  const was = changed.length > 0 ? `   ${paint('bold', changed.join(', '))}` : '';
  return `${escapeText(device).padEnd(12)} ${way.padEnd(3)}  ${addresses(packet, changed, paint)}${was}`;
}

function addresses(
  { what, source, sourcePort, target, targetPort }: Packet,
  changed: readonly string[],
  paint: Paint,
): string {
  const bold = (which: string, text: string): string =>
    changed.some((line) => line.startsWith(which)) ? paint('bold', text) : text;
  return `${bold('source', endText(source, sourcePort))} -> ${bold('destination', endText(target, targetPort))} ${what}`;
}

function chainLines(
  { table, chain, hook, rules, verdict, byPolicy, packet, changed }: ChainStep,
  paint: Paint,
): string[] {
  const was =
    changed.length > 0 ? `   ${addresses(packet, changed, paint)}   ${paint('bold', changed.join(', '))}` : '';
  const shown = verdict === 'drop' ? paint('red', verdict) : verdict;
  const end = byPolicy ? `${rules.length === 0 ? 'no rule matches; ' : ''}policy ${shown}` : undefined;
  const matched = rules.map((one) => {
    const inside = one.chain === chain ? '' : `${one.chain}: `;
    return `  ${escapeText(inside + one.rule)}  => ${one.verdict === 'drop' ? paint('red', one.verdict) : escapeText(one.verdict)}`;
  });
  const head = `${(hook ?? '').padEnd(11)} ${escapeText(`${table} ${chain}`)}`;
  return [`${head}${end === undefined ? '' : `: ${end}`}${was}`, ...matched];
}

/** The same as JSON: docs/schema/trace.json. */
export const renderTraceJson = (trace: Trace): string => JSON.stringify(trace, null, 2);
