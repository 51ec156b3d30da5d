import { world } from '@handwired/host';
import type { Case } from '../../queries/check.ts';
import { command, deleteRule } from '../../queries/commands.ts';
import { followChain, type Rule, findTool, splitRule } from '../../queries/iptables.ts';
import { findLink } from '../../queries/links.ts';
import { isDevice, type Packet, uplink, isWithin } from '../../queries/packet.ts';
import { openingPackets } from '../../queries/sights.ts';
import { mayEndAt, type Walk } from '../../queries/walk.ts';
import type { Cause, Finding } from '../cause.ts';

const atTranslation = { hop: 'POSTROUTING', explains: ['egress.', 'dns.'] } as const;

/** Source NAT rules of iptables that the baseline lacks. */
const sources = ({ facts, baseline }: Case): Rule[] => {
  const known = new Set(rulesIn(baseline).map(({ tool, chain, words }) => [tool, chain, ...words].join(' ')));
  return rulesIn(facts).filter(({ tool, chain, words }) => !known.has([tool, chain, ...words].join(' ')));
};

const rulesIn = ({ here }: Case['facts']): Rule[] =>
  here.iptables
    .filter(({ family, name }) => family === 'ip' && name === 'nat')
    .flatMap((table) =>
      table.chains.flatMap((chain) =>
        chain.rules.map((rule) => ({ tool: findTool(table), table: 'nat', chain: chain.name, words: splitRule(rule) })),
      ),
    )
    .filter(({ words }) => words.some((word) => word === 'MASQUERADE' || word === 'SNAT'));

const readValue = ({ words }: Rule, option: string): { value: string; negated: boolean } | undefined => {
  const at = words.indexOf(option);
  return at < 0 ? undefined : { value: words[at + 1] ?? '', negated: words[at - 1] === '!' };
};

/** The packet and its source, if it left the uplink with another source than the uplink's address. */
function untranslated(lab: Case, walk: Walk): { source: string; packet: Packet } | undefined {
  const packet = walk.path.packet?.(lab, walk.probe);
  if (!packet || walk.probe === undefined || !mayEndAt(walk, 'POSTROUTING', false)) return undefined;
  const out = lab.evidence.seen.find(
    (sight) =>
      sight.probe === walk.probe &&
      sight.in === 'root' &&
      sight.device === uplink &&
      sight.way === 'out' &&
      openingPackets.has(sight.what),
  );
  return out && out.source !== world.uplink.address ? { source: out.source, packet } : undefined;
}

const masquerade = ({ plan }: Case): string =>
  command('iptables', '-t', 'nat', '-A', 'POSTROUTING', '-s', plan.subnet, '!', '-o', plan.bridge, '-j', 'MASQUERADE');

const leaves = (source: string): string =>
  `The packet leaves ${uplink} with the source ${source}: no MASQUERADE or SNAT took hold of it, and the world has no way back there.`;

/** Finds a rule that would have translated the packet without one of its options. */
function nearMiss(
  lab: Case,
  walk: Walk,
  option: '-o' | '-s' | '-p',
  describe: (value: string, packet: Packet) => string,
): Finding | undefined {
  const at = untranslated(lab, walk);
  if (!at || at.source !== at.packet.source) return undefined;
  for (const rule of sources(lab)) {
    const given = readValue(rule, option);
    if (!given || fits(option, given.value, at.packet) !== given.negated) continue;
    if (!wouldTake(lab, rule, option, at.packet)) continue;
    return {
      seen: [
        `${uplink} puts out the source ${at.source}`,
        `iptables -t nat has -A ${rule.chain} ${rule.words.join(' ')}`,
      ],
      wrong: `${leaves(at.source)} ${describe(`${given.negated ? '! ' : ''}${option} ${given.value}`, at.packet)}`,
      mend: [deleteRule(rule), masquerade(lab)],
    };
  }
  return undefined;
}

const fits = (option: '-o' | '-s' | '-p', value: string, packet: Packet): boolean =>
  option === '-o'
    ? isDevice(value, packet.out ?? '')
    : option === '-s'
      ? isWithin(packet.source, value)
      : value === packet.protocol;

/** Does a rule take the packet when one of its options is removed? */
function wouldTake(lab: Case, rule: Rule, option: string, packet: Packet): boolean {
  const at = rule.words.indexOf(option);
  const from = rule.words[at - 1] === '!' ? at - 1 : at;
  const words = rule.words.filter((_word, n) => n < from || n > at + 1);
  const chain = { name: 'POSTROUTING', policy: 'ACCEPT', rules: [words.join(' ')] };
  const table = { family: 'ip', variant: 'nft', name: 'nat', chains: [chain] } as const;
  return (
    followChain({ ...table, chains: [...table.chains] }, 'POSTROUTING', { ...packet, in: undefined }, lab.facts.here)
      ?.rule !== null
  );
}

/** Causes of a wrong source address on the way out. */
export const translationCauses: Cause[] = [
  {
    ...atTranslation,
    id: 'masquerade-wrong-device',
    detect: (lab, walk) =>
      nearMiss(lab, walk, '-o', (given) => {
        const device = given.split(' ').at(-1) ?? '';
        return `A rule translates for ${given}${findLink(lab.facts.here.links, device) ? '' : ': there is no such link'}.`;
      }),
  },
  {
    ...atTranslation,
    id: 'masquerade-wrong-subnet',
    detect: (lab, walk) =>
      nearMiss(lab, walk, '-s', (given) => `A rule translates for ${given}; the containers are in ${lab.plan.subnet}.`),
  },
  {
    ...atTranslation,
    id: 'masquerade-wrong-protocol',
    detect: (lab, walk) =>
      nearMiss(lab, walk, '-p', (given, { protocol }) => `A rule translates for ${given} only; this was ${protocol}.`),
  },
  {
    ...atTranslation,
    id: 'snat-wrong-address',
    detect: (lab, walk) => {
      const at = untranslated(lab, walk);
      if (!at || at.source === at.packet.source) return undefined;
      const rule = sources(lab).find(({ words }) => words.some((word) => word.startsWith(at.source)));
      return {
        seen: [`${uplink} puts out the source ${at.source}`],
        wrong: `The packet leaves ${uplink} with the source ${at.source}: it is translated, to an address that is not the uplink's (${world.uplink.address}).`,
        mend: rule && [deleteRule(rule), masquerade(lab)],
      };
    },
  },
  {
    ...atTranslation,
    id: 'masquerade-shadowed',
    detect: (lab, walk) => {
      const at = untranslated(lab, walk);
      const fates = lab.facts.here.iptables
        .filter(({ family, name }) => family === 'ip' && name === 'nat')
        .map((table) => at && followChain(table, 'POSTROUTING', { ...at.packet, in: undefined }, lab.facts.here));
      const fate = fates.find((one) => one?.rule && one.target === 'ACCEPT' && one.certain);
      if (!at || !fate?.rule) return undefined;
      const shown = `-A ${fate.rule.chain} ${fate.rule.words.join(' ')}`;
      return {
        seen: [`${uplink} puts out the source ${at.source}`, `${shown} of ${fate.chain} takes it first`],
        wrong: `${leaves(at.source)} A rule before them ends the chain for it: ${shown}.`,
        mend: [deleteRule(fate.rule)],
      };
    },
  },
  {
    ...atTranslation,
    id: 'masquerade-missing',
    detect: (lab, walk) => {
      const at = untranslated(lab, walk);
      if (!at || at.source !== at.packet.source) return undefined;
      return {
        seen: [`${uplink} puts out the source ${at.source}`],
        wrong: leaves(at.source),
        mend: [masquerade(lab)],
      };
    },
  },
];
