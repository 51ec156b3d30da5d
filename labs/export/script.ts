import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChapterId, chapterIds, EXIT, LabError, type Plan, quote, quoteAll } from '@handwired/host';
import { chapters } from '../chapters.ts';
import { notesFolder } from '../notes.ts';
import { record, type RecordedStep } from '../record.ts';
import { mark } from '../rules.ts';
import { nftTable } from './nft.ts';
import { packagesOf } from './packages.ts';
import { bodyOf } from './steps.ts';

/** The comment of the script's rules, and where it keeps what was there before. */
const own = { mark: 'by-hand', notes: '/run/by-hand' };

/** Chapters whose build a script can hold: those of the network itself. */
const lastOfNetwork: ChapterId = 'publish';

/**
 * One bash script that builds the network of a plan up to a chapter and takes it back, and needs nothing of ours: the
 * chapters' own commands with their tests of state, between two parts that stand in parts/. LabError: it would do nothing.
 */
export async function exportScript(plan: Plan, through: ChapterId = lastOfNetwork): Promise<string> {
  const last = Math.min(chapterIds.indexOf(through), chapterIds.indexOf(lastOfNetwork));
  const ids = chapterIds.slice(0, last + 1);
  const steps = { build: await record('build', plan, ids), back: await record('undo', plan, ids.toReversed()) };
  if (steps.build.length === 0) throw nothingIn(through);
  const text = [
    '#!/bin/bash',
    ...headerOf(ids).map((line) => `# ${line}`.trimEnd()),
    '',
    ...settingsOf(plan, ids, [...steps.build, ...steps.back]),
    '',
    part('head').replace('@usage@', headerOf(ids).join('\n')),
    bodyOf(steps),
    part('foot'),
  ].join('\n');
  return text.replaceAll(notesFolder, own.notes).replaceAll(`--comment ${mark.at(-1)}`, `--comment ${own.mark}`);
}

const nothingIn = (through: ChapterId): LabError => {
  const next = `lab export --through ${chapters.find(({ steps }) => steps.length > 0)?.id}`;
  return new LabError({ what: `nothing is built through chapter ${through}`, next, exit: EXIT.usage });
};

const part = (name: string): string => readFileSync(join(import.meta.dirname, 'parts', `${name}.sh`), 'utf8').trimEnd();

/** What the script says of itself. */
const headerOf = (ids: readonly ChapterId[]): string[] => {
  const titles = chapters.filter(({ id, steps }) => ids.includes(id) && steps.length > 0).map(({ title }) => title);
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

function settingsOf(plan: Plan, ids: readonly ChapterId[], steps: readonly RecordedStep[]): string[] {
  const { bridge, ct1, ct2, subnet, hostPort } = plan;
  const packages = packagesOf(steps.flatMap(({ commands }) => commands));
  return [
    `links=(${quoteAll([bridge, ct1.veth, ct1.peer, ct2.veth, ct2.peer])})`,
    `netns=(${quoteAll([ct1.name, ct2.name])})`,
    `subnet=${subnet}`,
    `port=${ids.includes(lastOfNetwork) ? hostPort : ''}`,
    '# Whose plan, and how much of the network.',
    `built=${quote(`${subnet} ${ids.at(-1)}`)}`,
    '# What it needs, with the package that has it: on Debian and Ubuntu, on Fedora.',
    'declare -A packages=(',
    ...packages.map(([tool, where]) => `  [${tool}]='${where}'`),
    ')',
    `state=${own.notes}`,
    `table=${nftTable}`,
  ];
}
