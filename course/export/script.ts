/** `lab export`: the network of a plan as one bash script that needs nothing of ours. */
import { readFile } from 'node:fs/promises';
import { type ChapterId, EXIT, LabError, type Plan, quote, quoteAll } from '@handwired/host';
import { type Chapter, type Course, findChapter } from '../chapter.ts';
import { type Command, mark, notesFolder, type Sh } from '../commands.ts';
import { recordSteps, type RecordedStep } from '../run.ts';
import { translateRule, nftTable, renderNftTable } from './nft.ts';

/** The comment in the script's rules, and the folder of its notes. */
const own = { mark: 'by-hand', notes: '/run/by-hand' };

/** The last chapter of the network itself. Later chapters are in no script. */
const lastOfNetwork: ChapterId = 'publish';

/**
 * One bash script that builds the network of a plan up to a chapter and takes it back, and needs nothing of ours: the
 * chapters' own commands with their tests of state, between the two parts in parts/. Throws LabError (64) when the script
 * would do nothing.
 */
export async function exportScript(course: Course, plan: Plan, through: ChapterId = lastOfNetwork): Promise<string> {
  const { chapters } = course;
  const findIndex = (id: ChapterId): number => chapters.indexOf(findChapter(course, id));
  const held = chapters.slice(0, Math.min(findIndex(through), findIndex(lastOfNetwork)) + 1);
  const steps = {
    build: recordSteps('build', plan, held),
    back: recordSteps('undo', plan, held.toReversed()),
  };
  if (steps.build.length === 0) throw createNothingError(chapters, through);
  const [head, foot] = await Promise.all([readPart('head'), readPart('foot')]);
  const text = [
    '#!/bin/bash',
    ...renderUsage(held).map((line) => `# ${line}`.trimEnd()),
    '',
    ...renderSettings(plan, held, [...steps.build, ...steps.back]),
    '',
    head.replace('@usage@', renderUsage(held).join('\n')),
    renderStepFunctions(course, steps),
    foot,
  ].join('\n');
  return text.replaceAll(notesFolder, own.notes).replaceAll(`--comment ${mark.at(-1)}`, `--comment ${own.mark}`);
}

const createNothingError = (chapters: readonly Chapter[], through: ChapterId): LabError => {
  const next = `lab export --through ${chapters.find(({ steps }) => steps.length > 0)?.id}`;
  return new LabError({ what: `nothing is built through chapter ${through}`, next, exit: EXIT.usage });
};

const readPart = async (name: 'head' | 'foot'): Promise<string> =>
  (await readFile(new URL(`parts/${name}.sh`, import.meta.url), 'utf8')).trimEnd();

/** The script's help text. */
const renderUsage = (chapters: readonly Chapter[]): string[] => {
  const titles = chapters.filter(({ steps }) => steps.length > 0).map(({ title }) => title);
  return [
    'A container network, built by hand and taken back:',
    ...titles.map((title) => `  ${title}`),
    '',
    'usage: sudo bash SCRIPT [--keep | --remove | --dry-run] [--firewall iptables|nft]',
    '',
    '  (none)      build it, keep it until Ctrl-C, then take it back; also when it fails or is ended on the way',
    '  --keep      build it and leave it; what stands already is not built again',
    '  --remove    take back what --keep, or a run that was killed, has left',
    '  --dry-run   print the commands, run none (needs no root)',
    '  --firewall  which tool adds the rules: iptables where it works, else nft',
    '',
    'It refuses to begin where something of the same names, addresses or port is there already.',
  ];
};

/** The variables that the two parts read. */
function renderSettings(plan: Plan, chapters: readonly Chapter[], steps: readonly RecordedStep[]): string[] {
  const { bridge, ct1, ct2, subnet, hostPort } = plan;
  const last = chapters.at(-1)?.id;
  const needed = findPackages(steps.flatMap(({ commands }) => commands));
  return [
    `links=(${quoteAll([bridge, ct1.veth, ct1.peer, ct2.veth, ct2.peer])})`,
    `netns=(${quoteAll([ct1.name, ct2.name])})`,
    `subnet=${subnet}`,
    `port=${last === lastOfNetwork ? hostPort : ''}`,
    '# Whose plan, and how much of the network.',
    `built=${quote(`${subnet} ${last}`)}`,
    '# What it needs, with the package that has it: on Debian and Ubuntu, on Fedora.',
    'declare -A packages=(',
    ...needed.map(([tool, where]) => `  [${tool}]='${where}'`),
    ')',
    `state=${own.notes}`,
    `table=${nftTable}`,
  ];
}

// The steps as bash functions.

interface Steps {
  build: readonly RecordedStep[];
  back: readonly RecordedStep[];
}

/** The steps as two bash functions, `build` and `take_back`, in the words of parts/head.sh. */
function renderStepFunctions(course: Course, { build, back }: Steps): string {
  const rules = build.flatMap(({ commands }) => commands.filter(isRule));
  const withRules = build.findIndex(({ commands }) => commands.some(isRule));
  const forward = build.flatMap((step, at) => [
    ...renderStepHeading(course, build, at),
    ...(at === withRules ? renderNftStep(rules) : []),
    ...step.commands.flatMap((command, i) => renderBuild(command, `${step.chapter}/${step.id} ${i + 1}`)),
  ]);
  const backward = back.flatMap((step, at) => [
    ...renderChapterHeading(course, back, at),
    ...(step.commands.length > 0 ? ['', `# Taken back: ${step.title}`] : []),
    ...step.commands.flatMap(renderUndo),
  ]);
  const first = rules.length > 0 ? ['drop_table'] : [];
  return [
    'build() {',
    ...indentLines(forward),
    '}',
    '',
    'take_back() {',
    ...indentLines([...first, ...backward]),
    '}',
  ].join('\n');
}

const isRule = ({ run }: Command): boolean => run.cmd.startsWith('iptables ');

/** A step's title, and why it is there. */
const renderStepHeading = (course: Course, steps: readonly RecordedStep[], at: number): string[] => {
  const { title, why } = steps[at] as RecordedStep;
  return [
    ...renderChapterHeading(course, steps, at),
    ...['', ...splitSentences(why).map((sentence) => `# ${sentence}`), `say ${quoteReadably(`  ${title}`)}`],
  ];
};

/** The chapter's name, before its first step. */
function renderChapterHeading(course: Course, steps: readonly RecordedStep[], at: number): string[] {
  const id = steps[at]?.chapter;
  if (id === undefined || steps[at - 1]?.chapter === id) return [];
  const { number, title } = findChapter(course, id);
  return ['', `say ${quoteReadably(`${number} ${title}`)}`];
}

/** A word for the shell, in the kind of quotes that is easiest to read. */
const quoteReadably = (text: string): string =>
  text.includes("'") && /^[^"$`\\!]*$/.test(text) ? `"${text}"` : quote(text);

const splitSentences = (text: string): string[] =>
  [...new Intl.Segmenter('en', { granularity: 'sentence' }).segment(text)].map(({ segment }) => segment.trim());

/** One command of the build. `id` identifies its rule. */
function renderBuild(command: Command, id: string): string[] {
  if (!isRule(command)) return renderCommand(command);
  const { chain, words } = translateRule(command.run.cmd);
  return [`by_iptables ${removeProgramName(command.run)}`, `by_nft ${chain} ${words.join(' ')}`, `rule ${quote(id)}`];
}

const renderUndo = (command: Command): string[] =>
  isRule(command) ? [`by_iptables ${removeProgramName(command.run)}`, 'unrule'] : renderCommand(command);

const removeProgramName = ({ cmd }: Sh): string => cmd.replace(/^iptables /, '');

function renderCommand({ run, done, before, when, after, repeat }: Command): string[] {
  if (!done) return [...renderFunction('run', run), 'try'];
  return [
    ...renderFunction('holds', done),
    ...(before ? renderFunction('first', before) : []),
    ...(when ? renderFunction('when', when) : []),
    ...renderFunction('run', run),
    ...(after ? renderFunction('after', after) : []),
    ...(repeat ? ['again=yes'] : []),
    'apply',
  ];
}

function renderFunction(name: string, { cmd }: Sh): string[] {
  const lines = cmd.split('\n');
  const directive = /(kill|:") \$\(/.test(cmd) ? ['# shellcheck disable=SC2046 # several words, on purpose'] : [];
  return [
    ...directive,
    ...(lines.length === 1 ? [`${name}() { ${cmd}; }`] : [`${name}() {`, ...indentLines(lines), '}']),
  ];
}

/** The step that makes a table and chains for the rules, where there is no iptables. */
const renderNftStep = (rules: readonly Command[]): string[] => [
  'if [[ $firewall == nft ]]; then',
  ...indentLines([
    'holds() { nft list table ip "$table"; }',
    ...renderFunction('run', { cmd: `nft '\n${renderNftTable(rules.map(({ run }) => translateRule(run.cmd)))}'` }),
    'apply',
  ]),
  'fi',
];

const indentLines = (lines: readonly string[]): string[] => lines.map((line) => (line === '' ? '' : `  ${line}`));

// What the script needs.

/** Programs that some systems lack, with the packages that have them: on Debian and Ubuntu, on Fedora. */
const packages: Record<string, string> = {
  ip: 'iproute2, on Fedora iproute',
  bridge: 'iproute2, on Fedora iproute',
  ss: 'iproute2, on Fedora iproute',
  ping: 'iputils-ping, on Fedora iputils',
  sysctl: 'procps, on Fedora procps-ng',
  pgrep: 'procps, on Fedora procps-ng',
  ps: 'procps, on Fedora procps-ng',
  cmp: 'diffutils',
  python3: 'python3',
  setsid: 'util-linux',
  flock: 'util-linux',
};

/** The programs that these commands run, and those that the script itself runs, with their packages. */
function findPackages(commands: readonly Command[]): [tool: string, where: string][] {
  const texts = commands.flatMap(({ run, done, before, when, after }) => [run, done, before, when, after]);
  const all = texts.map((text) => text?.cmd ?? '').join('\n');
  const isUsed = (tool: string): boolean => new RegExp(`(^|[\\s;|&({])${tool} `, 'm').test(all);
  return Object.entries(packages).filter(([tool]) => tool === 'ip' || tool === 'flock' || isUsed(tool));
}
