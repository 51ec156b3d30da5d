import { styleText } from 'node:util';
import type { Source } from '../grading/grade.ts';
import { asciiJson, escapeText, wrap } from '../report/escape.ts';
import type { TextOptions } from '../report/formats.ts';
import type { View, Row, Sides } from './row.ts';
import { forward, guards } from './rows/forward.ts';
import { links, names } from './rows/links.ts';
import { nat } from './rows/nat.ts';
import { readDockerSide, type Known, observePair, type Pair, type Side, readYourSide } from './side.ts';

/** All objects, in the order in which the course makes them. */
export const rows: readonly Row[] = [...links, ...forward, ...guards, ...nat, ...names];

/** One object, compared. */
interface Compared {
  id: string;
  object: string;
  verdict: 'same' | 'differs' | 'unexplained';
  yours: string[];
  docker: string[];
  /** For a difference its reason, if known; for equal objects a remark, or null. */
  why: string | null;
  /** `step` is the `chapter/step` with the data about Docker; `source` is a file and function in moby. */
  step: string | null;
  source: string | null;
}

/** The comparison of the two builds, object by object. */
export interface Comparison {
  /** Names of the two containers. */
  yours: string;
  docker: string;
  objects: Compared[];
  /** Docker's rules that belong to none of the objects. */
  unexplained: string[];
}

/** The container that is missing for a comparison: the learner's or Docker's. */
export type Missing = 'yours' | 'docker';

/** Takes facts in one round trip and compares. */
export async function compareLab(source: Source): Promise<Comparison | Missing> {
  return comparePair(await observePair(source), source);
}

/** Compares the learner's container with Docker's. Pure. */
export function comparePair(pair: Pair, known: Known): Comparison | Missing {
  const yours = readYourSide(pair, known);
  const docker = readDockerSide(pair, known);
  if (!docker) return 'docker';
  if (!yours) return 'yours';
  const sides = { yours, docker };
  const objects = rows.map((row) => compared(row, sides)).filter(({ yours: a, docker: b }) => a.length + b.length > 0);
  return { yours: yours.container, docker: docker.container, objects, unexplained: unclaimed(docker) };
}

function compared(row: Row, sides: Sides): Compared {
  const [yours, docker] = [row.view(sides.yours), row.view(sides.docker)];
  const both = {
    id: row.id,
    object: row.object,
    yours: yours.shown,
    docker: docker.shown,
    step: row.step?.join('/') ?? null,
    source: row.source ?? null,
  };
  if (yours.is === docker.is) return { ...both, verdict: 'same', why: row.remark ?? null };
  const why = findReason(row, yours, docker, sides);
  if (why !== undefined) return { ...both, verdict: 'differs', why };
  return { ...both, verdict: 'unexplained', why: 'None of the differences that this course knows.' };
}

function findReason(row: Row, yours: View, docker: View, sides: Sides): string | undefined {
  const none = yours.is === '';
  if (none && row.step && row.picks && sides.yours.native.length > 0) {
    return `Docker writes its rules by iptables. Yours are in nft tables that iptables does not show (${sides.yours.native.join(', ')}), so compare what they do: lab trace.`;
  }
  const known = row.whys.find(({ when }) => when(yours, docker, sides))?.why;
  if (known !== undefined || !none || row.step === undefined) return known;
  return `You have none of it: chapter ${row.step[0]} makes it.`;
}

/** Rules with an effect that belong to no row. */
const unclaimed = ({ rules }: Side): string[] =>
  rules
    .filter((rule) => !rows.some(({ picks }) => picks?.(rule) === true))
    .map(({ table, chain, text }) => `-t ${table} -A ${chain} ${text}`);

/** Finds what Docker does instead of a step (`chapter/step`), and where in moby. The course has these data. */
export type FindDockerStep = (step: string) => { does: string; source: string } | undefined;

const words = { same: 'same', differs: 'DIFFERS', unexplained: 'UNKNOWN' } as const;
const colors = { same: 'green', differs: 'yellow', unexplained: 'red' } as const;

/** The comparison for people: object by object, what is equal, what differs and why. */
export function renderComparison(
  comparison: Comparison,
  findStep: FindDockerStep,
  { color, columns }: TextOptions,
): string {
  const { objects, yours, docker, unexplained } = comparison;
  const paint = (verdict: Compared['verdict']): string => {
    const word = words[verdict].padEnd(8);
    return color ? styleText(colors[verdict], word, { validateStream: false }) : word;
  };
  const count = (verdict: Compared['verdict']): number => objects.filter((one) => one.verdict === verdict).length;
  const block = (one: Compared): string[] => [
    `${paint(one.verdict)} ${escapeText(one.object)}`,
    ...renderDetails(one, comparison, findStep, Math.max(60, Math.min(columns || 80, 120))).map(escapeText),
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

function renderDetails(
  one: Compared,
  names: Pick<Comparison, 'yours' | 'docker'>,
  findStep: FindDockerStep,
  width: number,
): string[] {
  const head = Math.max(names.yours.length, names.docker.length);
  const side = (name: string, shown: readonly string[]): string[] =>
    (shown.length > 0 ? shown : ['none']).map((line, n) => `    ${(n === 0 ? name : '').padEnd(head)}  ${line}`);
  const step = one.step === null ? undefined : findStep(one.step);
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

/** The comparison as JSON, each object with what Docker does there. `lab` is the lab's name. */
export function renderComparisonJson(comparison: Comparison, findStep: FindDockerStep, lab: string): string {
  const objects = comparison.objects.map((one) => {
    const place = one.step === null ? undefined : findStep(one.step);
    return { ...one, does: place?.does ?? null, source: one.source ?? place?.source ?? null };
  });
  return asciiJson({ schemaVersion: 1, lab, ...comparison, objects });
}
