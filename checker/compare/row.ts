import type { ChapterId } from '@handwired/host';
import type { Rule } from './rules.ts';
import type { Side } from './side.ts';

/** What one side has of an object: lines for people, and a word for it that is equal where nothing differs. */
export interface View {
  shown: string[];
  is: string;
}

/** A difference that is known, and its reason. */
export interface Why {
  when: (yours: View, docker: View, sides: Sides) => boolean;
  why: string;
}

/** Both builds. */
export interface Sides {
  yours: Side;
  docker: Side;
}

/** One object of the two builds. */
export interface Row {
  id: string;
  object: string;
  /** The chapter's step that makes it: its data say what Docker does there, and where. */
  step?: readonly [chapter: ChapterId, step: string];
  /** For what no step makes: file and function in moby, as StepText has them. */
  source?: string;
  view: (side: Side) => View;
  /** Of rows about rules: those that the row is about, so that what no row is about can be told. */
  picks?: (rule: Rule) => boolean;
  /** The first that fits is told. A difference that none fits is not explained. */
  whys: readonly Why[];
  /** Worth knowing where nothing differs. */
  remark?: string;
}

/** A view: `is` is compared, `shown` is printed. */
export const readView = (is: string, ...shown: string[]): View => ({ is, shown });
/** The view of a side that has no such object. */
export const nothing: View = { is: '', shown: [] };

/** The reason for every difference. */
export const always = (why: string): Why => ({ when: () => true, why });
/** Only one of the two has it. */
export const onlyYours = (why: string): Why => ({ when: (yours, docker) => docker.is === '' && yours.is !== '', why });
/** The reason where Docker's side alone has the object. */
export const onlyDocker = (why: string): Why => ({ when: (yours, docker) => yours.is === '' && docker.is !== '', why });

type RuleRow = Omit<Row, 'view' | 'picks'> & {
  picks: (rule: Rule) => boolean;
  /** What Docker is known to have, as `Rule.is`: then a difference is the learner's own way of saying it. */
  known?: string;
};

const otherWords =
  'Yours says it in other words. Whether it does the same, lab check tells; what becomes of one packet, lab trace.';

/** A row about rules: equal where both sides have the same ones, whatever their chains. */
export const ruleRow = ({ known, ...row }: RuleRow): Row => ({
  ...row,
  whys: [...row.whys, { when: (yours, docker) => docker.is === known && yours.is !== '', why: otherWords }],
  view: ({ rules }) => {
    const found = rules.filter(row.picks);
    return {
      is: [...new Set(found.map(({ is }) => is))].sort().join('; '),
      shown: found.map(({ table, chain, text }) => `${table === 'filter' ? '' : `-t ${table} `}-A ${chain} ${text}`),
    };
  },
});

/** Does a rule ask for this, and for nothing else than what else is named? */
export const asks = ({ asks: has }: Rule, wanted: Record<string, string>): boolean =>
  Object.entries(wanted).every(([option, value]) => has.get(option) === value);
/** Does a rule ask for exactly this? */
export const asksOnly = (rule: Rule, wanted: Record<string, string>): boolean =>
  asks(rule, wanted) && rule.asks.size === Object.keys(wanted).length;

/** A line for each listener of docker-proxy at the published port. */
export const findProxy = ({ host, hostPort }: Side): string[] =>
  host.sockets
    .filter(({ protocol, port, program }) => protocol === 'tcp' && port === hostPort && program === 'docker-proxy')
    .map(({ address, port }) => `docker-proxy listens on ${address}:${port}`);
