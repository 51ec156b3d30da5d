import type { Source } from '../grading/take.ts';
import { observePair, type Pair } from './observe.ts';
import type { Look, Row, Sides } from './row.ts';
import { forward, guards } from './rows/forward.ts';
import { links } from './rows/links.ts';
import { names } from './rows/names.ts';
import { nat } from './rows/nat.ts';
import { dockerSide, type Known, type Side, yourSide } from './side.ts';

/** Every object, in the order in which the course makes them. */
export const rows: readonly Row[] = [...links, ...forward, ...guards, ...nat, ...names];

/** One object, compared. */
export interface Compared {
  id: string;
  object: string;
  verdict: 'same' | 'differs' | 'unexplained';
  yours: string[];
  docker: string[];
  /** Of a difference: its reason. Of what is the same: something worth knowing, or null. */
  why: string | null;
  /** `chapter/step` whose data tell what Docker does; or file and function in moby. */
  step: string | null;
  source: string | null;
}

export interface Comparison {
  /** What the containers are called. */
  yours: string;
  docker: string;
  objects: Compared[];
  /** Rules of Docker's that none of the objects is about. */
  unexplained: string[];
}

/** What is missing for a comparison: the learner's container, or Docker's. */
export type Missing = 'yours' | 'docker';

/** Looks at the lab host and compares; a round trip. */
export async function compareLab(source: Source): Promise<Comparison | Missing> {
  return compare(await observePair(source), source);
}

/** Compares the learner's container with Docker's. Pure. */
export function compare(pair: Pair, known: Known): Comparison | Missing {
  const yours = yourSide(pair, known);
  const docker = dockerSide(pair, known);
  if (!docker) return 'docker';
  if (!yours) return 'yours';
  const sides = { yours, docker };
  const objects = rows.map((row) => compared(row, sides)).filter(({ yours: a, docker: b }) => a.length + b.length > 0);
  return { yours: yours.container, docker: docker.container, objects, unexplained: unclaimed(docker) };
}

function compared(row: Row, sides: Sides): Compared {
  const [yours, docker] = [row.look(sides.yours), row.look(sides.docker)];
  const told = {
    ...{ id: row.id, object: row.object, yours: yours.shown, docker: docker.shown },
    ...{ step: row.step?.join('/') ?? null, source: row.source ?? null },
  };
  if (yours.is === docker.is) return { ...told, verdict: 'same', why: row.remark ?? null };
  const why = reasonOf(row, yours, docker, sides);
  if (why !== undefined) return { ...told, verdict: 'differs', why };
  return { ...told, verdict: 'unexplained', why: 'None of the differences that this course knows.' };
}

function reasonOf(row: Row, yours: Look, docker: Look, sides: Sides): string | undefined {
  const none = yours.is === '';
  if (none && row.step && row.picks && sides.yours.native.length > 0) {
    return `Docker writes its rules by iptables. Yours are in nft tables that iptables does not show (${sides.yours.native.join(', ')}), so compare what they do: lab trace.`;
  }
  const known = row.whys.find(({ when }) => when(yours, docker, sides))?.why;
  if (known !== undefined || !none || row.step === undefined) return known;
  return `You have none of it: chapter ${row.step[0]} makes it.`;
}

/** Rules that act, and that no row is about. */
const unclaimed = ({ rules }: Side): string[] =>
  rules
    .filter((rule) => !rows.some(({ picks }) => picks?.(rule) === true))
    .map(({ table, chain, text }) => `-t ${table} -A ${chain} ${text}`);
