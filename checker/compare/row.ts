import type { ChapterId } from '@handwired/host';
import type { Rule } from './rules.ts';
import type { Side } from './side.ts';

/** An object on one side: lines for people, and a text (`is`) that is equal on both sides when nothing differs. */
export interface View {
  shown: string[];
  is: string;
}

/** The reason for a known difference, and when it applies. */
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
  /** The step that makes the object. Its data tell what Docker does there, and where. */
  step?: readonly [chapter: ChapterId, step: string];
  /** For objects that no step makes: file and function in moby, in StepText's form. */
  source?: string;
  view: (side: Side) => View;
  /** For rows about rules: does a rule belong to this row? Rules that belong to no row are listed as unexplained. */
  picks?: (rule: Rule) => boolean;
  /** The first reason that applies is shown. Without one the difference is not explained. */
  whys: readonly Why[];
  /** A remark that is shown when nothing differs. */
  remark?: string;
}

/** A view: `is` is compared, `shown` is printed. */
export const readView = (is: string, ...shown: string[]): View => ({ is, shown });
/** The view of a side without the object. */
export const nothing: View = { is: '', shown: [] };

/** A reason that applies to every difference. */
export const always = (why: string): Why => ({ when: () => true, why });
/** A reason that applies when only the learner's side has the object. */
export const onlyYours = (why: string): Why => ({ when: (yours, docker) => docker.is === '' && yours.is !== '', why });
/** A reason that applies when only Docker's side has the object. */
export const onlyDocker = (why: string): Why => ({ when: (yours, docker) => yours.is === '' && docker.is !== '', why });

type RuleRow = Omit<Row, 'view' | 'picks'> & {
  picks: (rule: Rule) => boolean;
  /** Docker's known rules, in the form of `Rule.is`. If Docker has them, a difference is the learner's own variant. */
  known?: string;
};

const otherWords =
  'Yours says it in other words. Whether it does the same, lab check tells; what becomes of one packet, lab trace.';

/** A row about rules. It is equal when both sides have the same rules, in whatever chains. */
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

/** Does a rule have all these conditions? It may have others too. */
export const asks = ({ asks: has }: Rule, wanted: Record<string, string>): boolean =>
  Object.entries(wanted).every(([option, value]) => has.get(option) === value);
/** Does a rule have exactly these conditions? */
export const asksOnly = (rule: Rule, wanted: Record<string, string>): boolean =>
  asks(rule, wanted) && rule.asks.size === Object.keys(wanted).length;

/** A line for each listener of docker-proxy at the published port. */
export const findProxy = ({ host, hostPort }: Side): string[] =>
  host.sockets
    .filter(({ protocol, port, program }) => protocol === 'tcp' && port === hostPort && program === 'docker-proxy')
    .map(({ address, port }) => `docker-proxy listens on ${address}:${port}`);
