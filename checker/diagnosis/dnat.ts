import { world } from '@handwired/host';
import type { Case } from '../checks/check.ts';
import { command } from './commands.ts';
import { type Fate, fateIn, type Rule, toolOf, wordsOf } from './iptables.ts';
import { nativeTables } from './native.ts';
import { type Packet, uplink } from './packet.ts';

/** The chains of nat that translate destinations. */
export type Chain = 'PREROUTING' | 'OUTPUT';

export const target = ({ plan }: Case): string => `${plan.ct1.address}:${plan.containerPort}`;

/** A request to the published port, as the chain that should translate it sees it. */
export function request({ plan }: Case, chain: Chain, to: string = world.uplink.address): Packet {
  const from = chain === 'PREROUTING' ? { in: uplink, source: world.outside } : { out: 'lo', source: to };
  return { ...from, target: to, protocol: 'tcp', targetPort: plan.hostPort, state: 'NEW' };
}

/** What the nat tables of iptables make of it; `translates`: to where. */
export function translated(the: Case, chain: Chain, packet: Packet): (Fate & { to: string | undefined }) | undefined {
  for (const table of the.facts.here.iptables.filter(({ family, name }) => family === 'ip' && name === 'nat')) {
    const fate = fateIn(table, chain, packet, the.facts.here);
    const words = fate?.rule?.words ?? [];
    if (fate && fate.target === 'DNAT') return { ...fate, to: words[words.indexOf('--to-destination') + 1] };
  }
  return undefined;
}

const natRules = ({ facts }: Case): Rule[] =>
  facts.here.iptables
    .filter(({ family, name }) => family === 'ip' && name === 'nat')
    .flatMap((table) =>
      table.chains.flatMap(({ name, rules }) =>
        rules.map((rule) => ({ tool: toolOf(table), table: 'nat', chain: name, words: wordsOf(rule) })),
      ),
    );

/** Rules that translate our port, however they are limited otherwise. */
export const portRules = (the: Case): Rule[] =>
  natRules(the).filter(({ words }) => words.includes('DNAT') && words.includes(String(the.plan.hostPort)));

export const shown = ({ chain, words }: Rule): string => `-A ${chain} ${words.join(' ')}`;

/** A native nft chain may translate it in a way that is not read here: then nothing is missing for certain. */
export const byNative = (the: Case, hook: string): boolean =>
  nativeTables(the.facts.here).some((table) =>
    table.objects.some(
      ({ hook: at, text, chain }) =>
        at === hook &&
        text.includes('"nat"') &&
        table.objects.some((one) => one.type === 'rule' && one.chain === chain),
    ),
  );

export const dnat = (the: Case, chain: Chain): string => {
  const published = ['-p', 'tcp', '--dport', the.plan.hostPort, '-m', 'addrtype', '--dst-type', 'LOCAL'];
  return command('iptables', '-t', 'nat', '-A', chain, ...published, '-j', 'DNAT', '--to-destination', target(the));
};

/** Both chains that lack a translation to the right place. */
export const lacking = (the: Case): Chain[] =>
  (['PREROUTING', 'OUTPUT'] as const).filter(
    (chain) => translated(the, chain, request(the, chain))?.to !== target(the),
  );

/** Would the port still be translated without some rules? */
export function translatedWithout(the: Case, chain: Chain, gone: readonly Rule[]): boolean {
  const texts = new Set(gone.map((rule) => rule.words.join(' ')));
  const tables = the.facts.here.iptables.map((table) => ({
    ...table,
    chains: table.chains.map((one) => ({
      ...one,
      rules: one.rules.filter((rule) => !texts.has(wordsOf(rule).join(' '))),
    })),
  }));
  const facts = { ...the.facts, here: { ...the.facts.here, iptables: tables } };
  return translated({ ...the, facts }, chain, request(the, chain))?.to === target(the);
}
