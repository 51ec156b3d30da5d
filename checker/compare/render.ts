import { styleText } from 'node:util';
import { asciiJson, escapeText, wrap } from '../report/escape.ts';
import type { TextOptions } from '../report/formats.ts';
import type { Compared, Comparison } from './compare.ts';

/** What Docker does in a step's place, and where in moby: the course's own data, by `chapter/step`. */
export type Told = (step: string) => { does: string; source: string } | undefined;

const words = { same: 'same', differs: 'DIFFERS', unexplained: 'UNKNOWN' } as const;
const colors = { same: 'green', differs: 'yellow', unexplained: 'red' } as const;

/** The two builds for people: object by object, what is the same, what differs and why. */
export function renderComparison(comparison: Comparison, told: Told, { color, columns }: TextOptions): string {
  const { objects, yours, docker, unexplained } = comparison;
  const paint = (verdict: Compared['verdict']): string => {
    const word = words[verdict].padEnd(8);
    return color ? styleText(colors[verdict], word, { validateStream: false }) : word;
  };
  const count = (verdict: Compared['verdict']): number => objects.filter((one) => one.verdict === verdict).length;
  const block = (one: Compared): string[] => [
    `${paint(one.verdict)} ${escapeText(one.object)}`,
    ...detailsOf(one, comparison, told, Math.max(60, Math.min(columns || 80, 120))).map(escapeText),
    '',
  ];
  const strange =
    unexplained.length === 0 ? [] : [`${paint('unexplained')} rules of Docker's that this course does not know`];
  const lines = [
    ...objects.flatMap(block),
    ...strange,
    ...unexplained.map((rule) => `    ${escapeText(rule)}`),
    ...(unexplained.length === 0 ? [] : ['']),
    `your ${escapeText(yours)} and Docker's ${escapeText(docker)}: ${count('same')} objects the same, ${count('differs')} differ, ` +
      `${count('unexplained') + unexplained.length} unexplained`,
  ];
  return `${lines.join('\n')}\n`;
}

function detailsOf(one: Compared, names: Pick<Comparison, 'yours' | 'docker'>, told: Told, width: number): string[] {
  const head = Math.max(names.yours.length, names.docker.length);
  const side = (name: string, shown: readonly string[]): string[] =>
    (shown.length > 0 ? shown : ['none']).map((line, n) => `    ${(n === 0 ? name : '').padEnd(head)}  ${line}`);
  const step = one.step === null ? undefined : told(one.step);
  const source = one.source ?? step?.source;
  const differs = one.verdict !== 'same';
  const texts = [
    one.why ?? undefined,
    differs && step ? `Docker: ${step.does}` : undefined,
    differs && source !== undefined ? `moby: ${source}` : undefined,
  ].filter((text) => text !== undefined);
  return [
    ...side(names.yours, one.yours),
    ...side(names.docker, one.docker),
    ...texts.flatMap((text) => wrap(text, width - 4).map((line) => `    ${line}`)),
  ];
}

/** The same as data, each object with what Docker does there; `lab` is whose it is. */
export function renderComparisonJson(comparison: Comparison, told: Told, lab: string): string {
  const objects = comparison.objects.map((one) => {
    const place = one.step === null ? undefined : told(one.step);
    return { ...one, does: place?.does ?? null, source: one.source ?? place?.source ?? null };
  });
  return asciiJson({ schemaVersion: 1, lab, ...comparison, objects });
}
