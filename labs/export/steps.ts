import { quote } from '@handwired/host';
import type { RecordedStep } from '../record.ts';
import { chapterOf } from '../run.ts';
import type { Command, Sh } from '../script.ts';
import { nftOf, nftTableOf } from './nft.ts';

interface Steps {
  build: readonly RecordedStep[];
  back: readonly RecordedStep[];
}

/** The steps as two bash functions, `build` and `take_back`, in the words of parts/head.sh. */
export function bodyOf({ build, back }: Steps): string {
  const rules = build.flatMap(({ commands }) => commands.filter(isRule));
  const withRules = build.findIndex(({ commands }) => commands.some(isRule));
  const forward = build.flatMap((step, at) => [
    ...headingOf(build, at),
    ...(at === withRules ? tableOf(rules) : []),
    ...step.commands.flatMap((command, i) => built(command, `${step.chapter}/${step.id} ${i + 1}`)),
  ]);
  const backward = back.flatMap((step, at) => [
    ...chapterLine(back, at),
    ...(step.commands.length > 0 ? ['', `# Taken back: ${step.title}`] : []),
    ...step.commands.flatMap(takenBack),
  ]);
  const first = rules.length > 0 ? ['drop_table'] : [];
  return ['build() {', ...indented(forward), '}', '', 'take_back() {', ...indented([...first, ...backward]), '}'].join(
    '\n',
  );
}

const isRule = ({ run }: Command): boolean => run.cmd.startsWith('iptables ');

/** A step's title, and why it is there. */
const headingOf = (steps: readonly RecordedStep[], at: number): string[] => {
  const { title, why } = steps[at] as RecordedStep;
  return [
    ...chapterLine(steps, at),
    ...['', ...sentencesOf(why).map((sentence) => `# ${sentence}`), `say ${spoken(`  ${title}`)}`],
  ];
};

/** The chapter's name, before its first step. */
function chapterLine(steps: readonly RecordedStep[], at: number): string[] {
  const id = steps[at]?.chapter;
  if (id === undefined || steps[at - 1]?.chapter === id) return [];
  const { number, title } = chapterOf(id);
  return ['', `say ${spoken(`${number} ${title}`)}`];
}

/** A word of the shell, in the quotes that read best. */
const spoken = (text: string): string => (text.includes("'") && /^[^"$`\\!]*$/.test(text) ? `"${text}"` : quote(text));

const sentencesOf = (text: string): string[] =>
  [...new Intl.Segmenter('en', { granularity: 'sentence' }).segment(text)].map(({ segment }) => segment.trim());

/** One command of the build; `id` tells its rule from the others. */
function built(command: Command, id: string): string[] {
  if (!isRule(command)) return functionsOf(command);
  const { chain, words } = nftOf(command.run.cmd);
  return [`by_iptables ${wordsOf(command.run)}`, `by_nft ${chain} ${words.join(' ')}`, `rule ${quote(id)}`];
}

const takenBack = (command: Command): string[] =>
  isRule(command) ? [`by_iptables ${wordsOf(command.run)}`, 'unrule'] : functionsOf(command);

const wordsOf = ({ cmd }: Sh): string => cmd.replace(/^iptables /, '');

function functionsOf({ run, done, before, when, after, repeat }: Command): string[] {
  if (!done) return [...functionOf('run', run), 'try'];
  return [
    ...functionOf('holds', done),
    ...(before ? functionOf('first', before) : []),
    ...(when ? functionOf('when', when) : []),
    ...functionOf('run', run),
    ...(after ? functionOf('after', after) : []),
    ...(repeat ? ['again=yes'] : []),
    'apply',
  ];
}

function functionOf(name: string, { cmd }: Sh): string[] {
  const lines = cmd.split('\n');
  const directive = /(kill|:") \$\(/.test(cmd) ? ['# shellcheck disable=SC2046 # several words, on purpose'] : [];
  return [...directive, ...(lines.length === 1 ? [`${name}() { ${cmd}; }`] : [`${name}() {`, ...indented(lines), '}'])];
}

/** Where there is no iptables, the rules need a table and chains of their own first. */
const tableOf = (rules: readonly Command[]): string[] => [
  'if [[ $firewall == nft ]]; then',
  ...indented([
    'holds() { nft list table ip "$table"; }',
    ...functionOf('run', { cmd: `nft '\n${nftTableOf(rules.map(({ run }) => nftOf(run.cmd)))}'` }),
    'apply',
  ]),
  'fi',
];

const indented = (lines: readonly string[]): string[] => lines.map((line) => (line === '' ? '' : `  ${line}`));
