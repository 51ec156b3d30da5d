import { createHash } from 'node:crypto';
import { type Plan, world } from '@handwired/host';
import { type Difference, diffFacts } from '../facts/diff.ts';
import type { Facts, File, Net } from '../facts/facts.ts';
import type { NftTable } from '../facts/firewall.ts';
import type { LabRecord } from '../record.ts';
import type { Case } from './check.ts';
import { command, ip, sysctl } from './commands.ts';
import { splitRule } from './iptables.ts';

/** Whose a difference is. `unknown`: nothing identifies the owner. */
export type Owner = 'yours' | 'world' | 'docker' | 'unknown';

/** Settings that the course tells a learner to change. */
const taught = [/ip_forward/, /route_localnet/, /\/forwarding$/, /bridge-nf-call/, /^\/etc\/(resolv\.conf|netns\/)/];

/** Names of Docker's own objects (libnetwork's drivers, osl/namespace_linux.go). */
const dockers = [
  /\bdocker0\b/,
  /\bbr-[0-9a-f]{12}\b/,
  /\bDOCKER(-[A-Z]+)*(?![\w-])/,
  /\bdocker-proxy\b/,
  /\bdockerd\b/,
  /\/(var\/)?run\/docker\/netns\//,
];

/**
 * Finds whose a difference is. The first rule that fits decides: yours by a name or port of the plan, or by a name in
 * the record; Docker's by its names; yours by an address of the plan's /16; the world's if it is about the uplink
 * itself; yours by a setting that the course changes.
 */
export function findOwner(
  found: Pick<Difference, 'subject' | 'scope' | 'key' | 'text'>,
  plan: Plan,
  record: LabRecord,
): Owner {
  const { key, text } = found;
  const words = new Set([
    plan.bridge,
    ...[plan.ct1, plan.ct2].flatMap(({ name, veth }) => [name, veth]),
    ...record.seen,
  ]);
  const named = words.has(found.scope) || text.split(/[^\w.-]+/).some((word) => words.has(word));
  const port = new RegExp(`(dport |:|port )${plan.hostPort}\\b`).test(text);
  if (named || port) return 'yours';
  if (dockers.some((pattern) => pattern.test(text))) return 'docker';
  if (text.includes(`${plan.subnet.split('.').slice(0, 2).join('.')}.`)) return 'yours';
  if (isWorlds(found)) return 'world';
  return taught.some((pattern) => pattern.test(key)) ? 'yours' : 'unknown';
}

/** Is it about the uplink itself, its address or routes? What a learner adds to it, such as a rule, does not count. */
const isWorlds = ({ subject, scope, key, text }: Pick<Difference, 'subject' | 'scope' | 'key' | 'text'>): boolean =>
  scope === '' &&
  ((subject === 'links' &&
    /^(link|address|route|port) /.test(key) &&
    text.split(/[\s,]+/).includes(world.uplink.name)) ||
    (subject === 'namespaces' && text.includes('/run/handwired/')));

/** The commands that undo a leftover exactly. Empty: unknown. */
function writeUndo(found: Difference, lab: Case): string[] {
  const inside = (line: string): string =>
    found.scope === '' ? line : `${command('ip', 'netns', 'exec', found.scope)} ${line}`;
  const how: Record<Difference['subject'], () => string[]> = {
    namespaces: () => namespaceUndo(found),
    processes: () => processUndo(found, lab).map(inside),
    rules: () => ruleUndo(found, lab).map(inside),
    links: () => linkUndo(found, lab).map(inside),
    sysctls: () => (found.was === null ? [] : [inside(sysctl(found.key, found.was.split(' = ')[1] ?? ''))]),
    files: () => fileUndo(found, lab),
  };
  return how[found.subject]();
}

/** The commands that undo these leftovers. A chain is deleted after the rules in it and the rules that jump to it. */
export function undoAll(found: readonly Difference[], lab: Case): string[] {
  const late = (line: string): number => (/ -X /.test(line) ? 1 : 0);
  return [...new Set(found.flatMap((one) => writeUndo(one, lab)))].toSorted((a, b) => late(a) - late(b));
}

/** The commands that restore what is gone. Leaves out things that it can't restore. */
export function giveBack(gone: readonly Difference[], lab: Case): string[] {
  const first = (line: string): number => (/ (-N|netns add|link add) /.test(line) ? 0 : 1);
  return [...new Set(gone.flatMap((one) => givenBack(one, lab)))].toSorted((a, b) => first(a) - first(b));
}

function givenBack({ subject, key, text, scope }: Difference, { baseline }: Case): string[] {
  if (scope !== '') return [];
  const [kind = '', name = '', address = ''] = key.split(' ');
  if (subject === 'namespaces' && kind === 'netns') {
    const up = findNet(baseline, name)?.links.some(({ loopback, up: on }) => loopback && on);
    return [ip(null, 'netns', 'add', name), ...(up ? [ip(name, 'link', 'set', 'lo', 'up')] : [])];
  }
  if (subject === 'files') {
    const was = baseline.files.find(({ path }) => path === key);
    return was ? (restoreFile({ now: undefined, was }) ?? []) : [];
  }
  if (subject === 'links' && kind === 'address') return [ip(null, 'addr', 'add', address, 'dev', name)];
  if (subject === 'links' && kind === 'link') return linkAgain(name, baseline);
  if (subject !== 'rules') return [];
  if (/^ip6?tables/.test(text)) return [command(...splitRule(text))];
  const table = baseline.here.nft.find((one) => one.objects.some((object) => key === `nft ${object.text}`));
  return table ? [tableAgain(table)] : [];
}

/** The commands that make a link of the baseline again. Possible for links with a kind and without a peer. */
function linkAgain(name: string, { here }: Case['baseline']): string[] {
  const link = here.links.find((one) => one.name === name);
  if (!link?.kind || link.peer) return [];
  return [
    ip(null, 'link', 'add', name, 'type', link.kind),
    ...link.addresses
      .filter(({ family }) => family === 'inet')
      .map(({ address, prefix }) => ip(null, 'addr', 'add', `${address}/${prefix}`, 'dev', name)),
    ...(link.up ? [ip(null, 'link', 'set', name, 'up')] : []),
  ];
}

/** The command that makes a whole nft table again (libnftables-json(5)). It first deletes what is left of the table. */
function tableAgain({ family, name, objects }: NftTable): string {
  const table = { table: { family, name } };
  const add = (object: unknown): object => ({ add: object });
  const list = [add(table), { delete: table }, add(table), ...objects.map(({ text }) => add(JSON.parse(text)))];
  return `${command('printf', '%s', JSON.stringify({ nftables: list }))} | nft -j -f -`;
}

function namespaceUndo({ key }: Difference): string[] {
  const [kind, ...rest] = key.split(' ');
  const name = rest.join(' ');
  return kind === 'netns' ? [ip(null, 'netns', 'del', name)] : [command('umount', name)];
}

function processUndo({ key, scope }: Difference, { facts }: Case): string[] {
  const listener = /^listener (tcp|udp) .*:(\d+) /.exec(key);
  if (listener) return [command('fuser', '-sk', `${listener[2] ?? ''}/${listener[1] ?? ''}`)];
  const process = /^process (\S+) (.*)$/s.exec(key);
  if (!process || scope !== '') return [];
  const [, netns = '-', line = ''] = process;
  if (netns !== '-' && facts.namespaces.some(({ name }) => name === netns)) {
    return [`${ip(null, 'netns', 'pids', netns)} | xargs -r kill`];
  }
  return line === '' ? [] : [command('pkill', '-xf', line.replaceAll(/[\\^$.|?*+()[\]{}]/g, '\\$&'))];
}

function ruleUndo({ key, text, scope }: Difference, { facts, baseline }: Case): string[] {
  const rule = /^(\S+ -t \S+) -(A|N|P) (\S+) ?(.*)$/s.exec(text);
  if (rule) {
    const [, tool = '', action, chain = '', rest = ''] = rule;
    const words = tool.split(' ');
    if (action === 'A') return [command(...words, '-D', chain, ...splitRule(rest))];
    return [action === 'N' ? command(...words, '-X', chain) : command(...words, '-P', chain, 'ACCEPT')];
  }
  const net = findNet(facts, scope);
  for (const { family, name, objects } of net?.nft ?? []) {
    const object = objects.find((one) => key === `nft ${one.text}`);
    if (!object) continue;
    const old = findNet(baseline, scope)?.nft.find((one) => one.family === family && one.name === name);
    if (!old) return [command('nft', 'delete', 'table', family, name)];
    const { type, chain, handle } = object;
    if (type === 'rule' && chain !== null && handle !== null) {
      return [command('nft', 'delete', 'rule', family, name, chain, 'handle', handle)];
    }
    if (type === 'chain' && chain !== null) return [command('nft', 'delete', 'chain', family, name, chain)];
  }
  return [];
}

const findNet = (facts: Case['facts'], scope: string): Net | null | undefined =>
  scope === '' ? facts.here : facts.namespaces.find(({ name }) => name === scope)?.net;

function linkUndo({ key, was, scope }: Difference, { facts }: Case): string[] {
  const [kind, name = '', address = ''] = key.split(' ');
  if (kind === 'link') return was === null ? [ip(null, 'link', 'del', name)] : linkBack(name, was);
  if (kind === 'address') return [ip(null, 'addr', 'del', address, 'dev', name)];
  if (kind === 'rule') return [ip(null, 'rule', 'del', 'priority', name.replace(':', ''))];
  if (kind === 'port') return [command('bridge', 'link', 'set', 'dev', name, 'hairpin', 'off', 'isolated', 'off')];
  const route = /^route (\S+)(?: via (\S+))? dev (\S+) table (\S+)/.exec(key);
  if (!route) return [];
  const [, destination = '', via, device = 'none', table = 'main'] = route;
  const type = findNet(facts, scope)?.routes.find(
    (one) => one.destination === destination && one.table === table,
  )?.type;
  const family = destination.includes(':') || via?.includes(':') ? ['-6'] : [];
  return [
    command(
      'ip',
      ...family,
      'route',
      'del',
      ...(type === undefined || type === 'unicast' ? [] : [type]),
      destination,
      ...(via === undefined ? [] : ['via', via]),
      ...(device === 'none' ? [] : ['dev', device]),
      ...(table === 'main' ? [] : ['table', table]),
    ),
  ];
}

/** The commands that give a link of the baseline its old master, MTU and state. */
function linkBack(name: string, was: string): string[] {
  const [, state = 'up', master = 'none', mtu = ''] = /, (up|down), master (\S+), mtu (\d+)$/.exec(was) ?? [];
  return [
    ip(null, 'link', 'set', name, ...(master === 'none' ? ['nomaster'] : ['master', master])),
    ...(mtu === '' ? [] : [ip(null, 'link', 'set', name, 'mtu', mtu)]),
    ip(null, 'link', 'set', name, state),
  ];
}

function fileUndo({ key, change }: Difference, { facts, baseline }: Case): string[] {
  if (change === 'new') return [command('rm', key)];
  const [now, was] = [facts, baseline].map(({ files }) => files.find(({ path }) => path === key));
  return was ? (restoreFile({ now, was }) ?? []) : [];
}

/** The commands that restore a file. Undefined: the file's whole text is not known. */
export function restoreFile({ now, was }: { now: File | undefined; was: File }): string[] | undefined {
  const link = was.kind === 'symlink' && was.target !== null;
  const relink =
    link && (now?.kind !== 'symlink' || now.target !== was.target)
      ? [command('ln', '-sfn', was.target ?? '', was.path)]
      : [];
  if (now?.sha256 === was.sha256 && relink.length > 0) return relink;
  const whole = was.text !== null && createHash('sha256').update(was.text).digest('hex') === was.sha256;
  if (!whole || was.text === null) return relink.length > 0 ? relink : undefined;
  const text = was.text.replaceAll('\\', '\\\\').replaceAll('%', '%%').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  const away = !link && now?.kind === 'symlink' ? [command('rm', was.path)] : [];
  return [...relink, ...away, `${command('printf', text)} > ${command(link ? (was.real ?? was.path) : was.path)}`];
}

/** Differences that are leftovers: what is new or changed since the baseline. */
export const findLeftovers = (facts: Facts, baseline: Facts): Difference[] =>
  diffFacts(baseline, facts).filter(({ change }) => change !== 'gone');

/**
 * Are there leftovers that may still disappear by themselves? `ip netns del` returns before the kernel removes the
 * namespace's links (cleanup_net is a work queue), and a killed process may still be ending.
 */
export function canSettle(facts: Facts, baseline: Facts): boolean {
  const found = findLeftovers(facts, baseline);
  const unnamed = new Set(facts.here.ids.filter(({ name }) => name === null).map(({ nsid }) => nsid));
  return found.some(({ subject, key }) => {
    if (subject === 'processes') return key.startsWith('process - ');
    const link = facts.here.links.find(({ name }) => subject === 'links' && key === `link ${name}`);
    return link?.kind === 'veth' && link.peer !== null && link.peer.nsid !== null && unnamed.has(link.peer.nsid);
  });
}
