import { readMessage } from '@handwired/host';
import { z } from 'zod';
import type { Facts, Net } from './facts.ts';
import { parseConnections, parseNft, parseSave, type Table } from './firewall.ts';
import {
  NamespaceId,
  parseForwarding,
  parseLinks,
  parseNeighbours,
  parsePolicyRules,
  parsePorts,
  parseRoutes,
  Socket,
} from './iproute.ts';
import { parseAnswers, parseCaptures, parseKnocks, Work } from './work.ts';

/** Result of one command. `code` null: not started, killed, or out of time. `cut`: the output exceeded the limit. */
const Source = z.object({ code: z.int().nullable(), out: z.string(), err: z.string(), cut: z.boolean() });
export type Source = z.infer<typeof Source>;

const RawFile = z.object({
  path: z.string().max(4096),
  kind: z.enum(['absent', 'file', 'symlink', 'folder', 'other']),
  target: z.string().max(4096).optional(),
  real: z.string().max(4096).optional(),
  size: z.int().optional(),
  sha256: z.string().length(64).optional(),
  text: z.string().max(8192).optional(),
});

/** What agent/facts.py prints: the texts that it read, not interpreted. */
export const Raw = z.object({
  host: z.object({
    name: z.string().max(256),
    kernel: z.string().max(256),
    clock: z.number(),
    inode: z.int(),
    boot: z.string().max(64),
  }),
  lab: z.string().nullable(),
  world: z.object({
    pid: z.int().nullable(),
    inode: z.int().nullable(),
    start: z.string().max(32).nullable(),
    sha256: z.string().length(64).nullable(),
    authority: z.string().max(65536).nullable(),
    knocks: z.array(z.string().max(1000)).max(200).nullable().default(null),
  }),
  altered: z.array(z.object({ path: z.string().max(4096), what: z.string().max(300) })).max(200),
  /** Fingerprints taken before the first source was read and after the last. */
  steady: z.object({ before: z.string().max(100), after: z.string().max(100) }),
  netns: z.array(z.object({ name: z.string().max(256), inode: z.int().nullable(), nsfs: z.boolean() })).max(64),
  mounts: z.array(z.object({ path: z.string().max(4096), inode: z.int() })).max(200),
  processes: z.array(z.object({ pid: z.int(), inode: z.int(), args: z.array(z.string()).max(401) })).max(500),
  files: z.array(RawFile).max(300),
  /** Files that the learner hands in: read_work in agent/files.py. */
  work: Work.default({ answers: [], captures: [] }),
  ids: z.record(z.string(), z.array(NamespaceId).max(1000)),
  sockets: z.record(z.string(), z.array(Socket).max(2000)),
  sysctls: z.record(z.string(), z.record(z.string(), z.string())),
  /** Only on request: what Docker stores about its containers (config.v2.json), and the mounts of their namespaces. */
  docker: z
    .array(
      z.object({
        id: z.string().max(64),
        config: z.string().max(1 << 18),
        resolv: z.string().max(8192).nullable(),
        netns: z.string().max(100).nullable(),
      }),
    )
    .max(8)
    .default([]),
  sources: z.record(z.string(), z.record(z.string(), Source)),
});
export type Raw = z.infer<typeof Raw>;

/** Makes facts from what agent/facts.py printed. Never throws: a source that can't be read becomes a problem. */
export function parseFacts(raw: Raw): Facts {
  const problems: Facts['problems'] = [];
  const netOf = (scope: string): Net | null => {
    const sources = raw.sources[scope];
    return sources ? parseNet(sources, raw, { scope, problems }) : null;
  };
  const here = netOf('root') ?? parseNet({}, raw, { scope: 'root', problems });
  const moved = compareFingerprints(raw.steady.before, raw.steady.after);
  if (moved !== null) problems.push({ source: 'steady', what: `${moved} changed while the snapshot was taken` });
  const names = new Map(raw.netns.map((entry) => [entry.inode, entry.name]));
  return {
    schemaVersion: 2,
    host: raw.host,
    conditions: readConditions(raw.lab ?? ''),
    world: { ...raw.world, net: netOf('world'), knocks: raw.world.knocks && parseKnocks(raw.world.knocks) },
    altered: raw.altered,
    steady: raw.steady.after,
    here,
    namespaces: raw.netns.map(({ name, inode, nsfs }) => ({ name, inode, real: nsfs, net: netOf(`netns ${name}`) })),
    mounts: raw.mounts.filter((mount) => !mount.path.startsWith('/run/netns/')),
    processes: raw.processes.map(({ pid, inode, args }) => ({
      pid,
      inode,
      netns: names.get(inode) ?? null,
      command: args.join(' ').slice(0, 200),
    })),
    files: raw.files.map(({ path, kind, target, real, sha256, text }) => ({
      path,
      kind,
      target: target ?? null,
      real: real ?? null,
      sha256: sha256 ?? null,
      text: text ?? null,
    })),
    answers: parseAnswers(raw.work.answers),
    captures: parseCaptures(raw.work.captures),
    problems,
  };
}

interface Place {
  scope: string;
  problems: Facts['problems'];
}

/** Makes one network namespace's facts from its sources. Sources that can't be read are added to `place.problems`. */
export function parseNet(sources: Record<string, Source>, raw: Raw, place: Place): Net {
  const read = createReader(sources, place);
  const batch = (name: string, count: number): unknown[] =>
    read(name, '\n'.repeat(count), (text) => jsonLines(text, count)) ?? Array.from({ length: count }, () => []);
  const ip = batch('ip', 4);
  const bridge = batch('bridge', 2);
  const inside = <T>(name: string, parse: () => T[]): T[] =>
    attempt(`${place.scope} ${name}`, place.problems, parse) ?? [];
  const asked = <T>(name: string, found: T[] | undefined): T[] => {
    if (!found) place.problems.push({ source: `${place.scope} ${name}`, what: 'the kernel did not say' });
    return found ?? [];
  };
  const printed = read('nft-text', '', (text) => text) ?? '';
  const saves = [
    save(
      read('iptables-nft', '', (text) => parseSave(text, 'ip', 'nft')),
      'ip',
    ),
    save(
      read('ip6tables-nft', '', (text) => parseSave(text, 'ip6', 'nft')),
      'ip6',
    ),
    save(
      read('iptables-legacy', '', (text) => parseSave(text, 'ip', 'legacy')),
      'ip',
    ),
    save(
      read('ip6tables-legacy', '', (text) => parseSave(text, 'ip6', 'legacy')),
      'ip6',
    ),
  ];
  return {
    links: inside('addr', () => parseLinks(ip[0])),
    routes: inside('route', () => parseRoutes(ip[1])),
    policy: inside('rule', () => parsePolicyRules(ip[2])),
    neighbours: inside('neigh', () => parseNeighbours(ip[3])),
    ids: asked('ids', raw.ids[place.scope]),
    ports: inside('bridge link', () => parsePorts(bridge[0])),
    forwarding: inside('bridge fdb', () => parseForwarding(bridge[1])),
    iptables: saves.flatMap((entry) => entry.tables),
    nft: read('nft', '{"nftables":[]}', (text) => parseNft(JSON.parse(text), printed)) ?? [],
    notIptables: saves.flatMap((entry) => entry.incompatible),
    sockets: asked('sockets', raw.sockets[place.scope]),
    connections: read('conntrack', '', parseConnections) ?? [],
    sysctls: raw.sysctls[place.scope] ?? {},
  };
}

type Save = ReturnType<typeof parseSave>;

const save = (parsed: Save | undefined, family: Table['family']): Save => ({
  tables: parsed?.tables ?? [],
  incompatible: (parsed?.incompatible ?? []).map((name) => `${family} ${name}`),
});

/** Sources that may be absent outside the lab host's own namespace: they are run only where they make sense. */
const optional: ReadonlySet<string> = new Set([
  'bridge',
  'conntrack',
  'nft-text',
  'iptables-nft',
  'ip6tables-nft',
  'iptables-legacy',
  'ip6tables-legacy',
]);

function createReader(sources: Record<string, Source>, { scope, problems }: Place) {
  return <T>(name: string, whenEmpty: string, parse: (text: string) => T): T | undefined => {
    const source = sources[name];
    if (!source && optional.has(name) && scope !== 'root') return undefined;
    if (!source && /legacy/.test(name)) return undefined;
    const failed = describeFailure(source);
    if (failed !== undefined || !source) {
      problems.push({ source: `${scope} ${name}`, what: failed ?? '' });
      return undefined;
    }
    return attempt(`${scope} ${name}`, problems, () => parse(source.out === '' ? whenEmpty : source.out));
  };
}

function describeFailure(source: Source | undefined): string | undefined {
  if (!source) return 'was not run';
  if (source.cut) return 'answered more than the limit';
  if (source.code === 0) return undefined;
  return `${source.code === null ? 'did not end' : `exit ${source.code}`}: ${source.err.trim().slice(0, 200)}`;
}

function attempt<T>(source: string, problems: Facts['problems'], parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    problems.push({ source, what: `not understood: ${readMessage(error).slice(0, 200)}` });
    return undefined;
  }
}

/** `ip -batch` prints one JSON document per line, in the order of the commands. An empty line is an empty answer. */
function jsonLines(text: string, count: number): unknown[] {
  const lines = text.split('\n').slice(0, count);
  if (lines.length < count) throw new Error(`${lines.length} answers instead of ${count}`);
  return lines.map((line): unknown => (line.trim() === '' ? [] : JSON.parse(line.replaceAll(controls, escaped))));
}

/** iproute2 prints control characters of a link's alias unescaped. JSON forbids that. */
const controls = /[\u0000-\u001f]/g;
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

function readConditions(env: string): Record<string, string> {
  const pairs = [...env.matchAll(/^([A-Z_]+)=(.*)$/gm)].slice(0, 20);
  return Object.fromEntries(pairs.map((pair) => [pair[1] ?? '', (pair[2] ?? '').replaceAll(/^['"]|['"]$/g, '')]));
}

/** Names of a fingerprint's parts, in their order: PARTS in agent/fingerprint.py. */
const parts = [
  'namespaces',
  'links',
  'addresses',
  'routes',
  'routing rules',
  'nftables rules',
  'iptables-legacy rules',
  'kernel settings',
  'listening sockets',
  'resolver files',
];

/** Names the parts in which two fingerprints differ; null: they are equal. */
export function compareFingerprints(before: string, after: string): string | null {
  if (before === after) return null;
  const [old, now] = [before.split('-'), after.split('-')];
  return parts.filter((_, at) => old[at] !== now[at]).join(', ') || 'something';
}
