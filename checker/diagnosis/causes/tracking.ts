import type { Connection, Table } from '../../facts/firewall.ts';
import type { Case } from '../../queries/check.ts';
import { command, deleteRule, sysctl } from '../../queries/commands.ts';
import { byNative, followChain, type Rule, findTool, translateRequest, splitRule } from '../../queries/iptables.ts';
import { answerTo, type Packet } from '../../queries/packet.ts';
import { mayEndAt, type Walk } from '../../queries/walk.ts';
import { type Cause, traffic } from '../cause.ts';
import { forwarded } from './firewall.ts';

/** An older conntrack entry of UDP that the experiment's first packet matches. TCP starts a new entry with each SYN. */
function findEntry({ facts, evidence }: Case, { probe }: Walk): Connection | undefined {
  const sights = evidence.seen.filter((sight) => sight.probe === probe && sight.what === 'query');
  return facts.here.connections.find(({ original, protocol }) =>
    sights.some(
      (sight) =>
        protocol === 'udp' &&
        original.source === sight.source &&
        original.destination === sight.target &&
        original.sourcePort === sight.sourcePort &&
        original.destinationPort === sight.targetPort,
    ),
  );
}

const set = 'net/netfilter/nf_conntrack_max';

/** Finds a rule with this option that takes the packet when the option is ignored. */
function ruleWith(
  lab: Case,
  where: { table: string; chain: string },
  packet: Packet,
  option: RegExp,
): Rule | undefined {
  for (const table of lab.facts.here.iptables.filter(({ family, name }) => family === 'ip' && name === where.table)) {
    const rules = table.chains.find(({ name }) => name === where.chain)?.rules ?? [];
    const rule = rules.find((text) => option.test(text) && takes(lab, table, text.replace(option, '-j DROP'), packet));
    if (rule !== undefined)
      return { tool: findTool(table), table: table.name, chain: where.chain, words: splitRule(rule) };
  }
  return undefined;
}

function takes(lab: Case, table: Table, rule: string, packet: Packet): boolean {
  const alone = { ...table, chains: [{ name: 'ALONE', policy: null, rules: [rule] }] };
  return followChain(alone, 'ALONE', packet, lab.facts.here)?.rule !== null;
}

/** `-m connlimit` and everything after it in the rule. */
const limit = /-m connlimit .*-j (DROP|REJECT).*/;
const untracked = /-j (CT --notrack|NOTRACK).*/;

/** Connection tracking: old entries, a full table, a limit, or packets that it is not allowed to see. */
export const trackingCauses: Cause[] = [
  {
    id: 'conntrack-full',
    hop: 'PREROUTING',
    explains: ['bridge.uplink', ...traffic],
    structural: true,
    detect: ({ facts, evidence }) => {
      const most = Number(facts.here.sysctls[set] ?? Infinity);
      const { length } = facts.here.connections;
      // The experiments alone may be more connections than the limit.
      if (!(most > 0) || (length < most && Object.keys(evidence.results).length < most)) return undefined;
      return {
        seen: [`${set} is ${most}`, `conntrack -L shows ${length} connections`],
        wrong: `The table of connections is full (room for ${most}): each packet that begins another one is dropped, as the kernel's log says.`,
        mend: [sysctl(set, '65536')],
      };
    },
    where: () =>
      'how many connections are followed, and how many may be: conntrack -C; sysctl net.netfilter; dmesg | tail',
  },
  {
    id: 'notrack',
    hop: 'PREROUTING',
    explains: ['egress.', 'dns.', 'publish.'],
    structural: true,
    detect: (lab, walk) => {
      const packet = walk.path.packet?.(lab, walk.probe);
      if (!packet || walk.probe === undefined) return undefined;
      const ways = [packet, answerTo(packet)].filter((one) => one.in !== undefined);
      const rule = ways
        .map((one) => ruleWith(lab, { table: 'raw', chain: 'PREROUTING' }, { ...one, out: undefined }, untracked))
        .find(Boolean);
      if (!rule) return undefined;
      const shown = `-A ${rule.chain} ${rule.words.join(' ')}`;
      return {
        seen: [`iptables -t raw has ${shown}`],
        wrong: `Connection tracking does not get to see it: ${shown}. What is not tracked is not translated, whatever the nat table says, and is no answer to anything.`,
        mend: [deleteRule(rule)],
      };
    },
  },
  {
    id: 'conntrack-stale',
    hop: 'PREROUTING',
    explains: ['egress.', 'dns.', 'publish.'],
    structural: true,
    detect: (lab, walk) => {
      const entry = findEntry(lab, walk);
      const packet = walk.path.packet?.(lab, walk.probe);
      if (!entry || !packet || entry.reply.source === entry.original.destination) return undefined;
      const { source, destination, destinationPort } = entry.original;
      const now = translateRequest(lab, 'PREROUTING', { ...packet, source, target: destination, out: undefined });
      if (now || byNative(lab, 'prerouting')) return undefined;
      const at = ['-p', entry.protocol, '--orig-src', source, '--orig-dst', destination];
      return {
        seen: [
          `conntrack has ${entry.protocol} ${source}:${entry.original.sourcePort ?? ''} to ${destination}:${destinationPort ?? ''}, translated to ${entry.reply.source}`,
          'no rule translates it so',
        ],
        wrong: `Connection tracking still sends it to ${entry.reply.source}: the entry is older than the experiment, and no rule says so any more. Rules are asked only for the first packet of a connection.`,
        mend: [command('conntrack', '-D', ...at, '--reply-src', entry.reply.source)],
      };
    },
    where: () => 'what is remembered of earlier connections, and where it sends them: conntrack -L -o extended',
  },
  {
    id: 'connection-limit',
    hop: 'FORWARD',
    explains: traffic,
    detect: (lab, walk) => {
      const at = mayEndAt(walk, 'FORWARD') ? forwarded(lab, walk) : undefined;
      const rule = at && ruleWith(lab, { table: 'filter', chain: 'FORWARD' }, at.packet, limit);
      if (!at || !rule) return undefined;
      const shown = `-A ${rule.chain} ${rule.words.join(' ')}`;
      return {
        back: at.back,
        seen: [`${shown} of ${rule.tool}`, 'it ends where that rule judges it'],
        wrong: `A rule in FORWARD allows only so many connections at once, and drops the next: ${shown}.`,
        mend: [deleteRule(rule)],
      };
    },
  },
];
