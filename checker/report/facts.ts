import { type Difference, diffFacts } from '../facts/diff.ts';
import type { Facts, Net } from '../facts/facts.ts';
import type { Case } from '../queries/check.ts';
import { type Owner, findOwner } from '../queries/leftovers.ts';
import { asciiJson, escapeText } from './escape.ts';

/** A snapshot for people: the contents of each namespace, with rules and sockets, and what could not be read. */
export function renderFacts(facts: Facts): string {
  const { host, conditions, namespaces, mounts, processes, files, problems, altered } = facts;
  const lines = [
    `${host.name}, Linux ${host.kernel}`,
    `made with ${listEntries(conditions)}`,
    '',
    ...netLines('the lab host itself', facts.here),
    ...namespaces.flatMap(({ name, real, net }) =>
      net
        ? netLines(`namespace ${name}`, net)
        : [`namespace ${name}: ${real ? 'could not be entered' : 'a plain file'}`, ''],
    ),
    ...section(
      'namespaces kept by a mount',
      mounts.map(({ path }) => path),
    ),
    ...section(
      'processes in other namespaces',
      processes.map(({ pid, netns, command }) => `${pid} in ${netns ?? 'one without a name'}: ${command}`),
    ),
    ...section(
      'files',
      files
        .filter(({ kind }) => kind === 'file' || kind === 'symlink')
        .map(({ path, target }) => (target === null ? path : `${path} -> ${target}`)),
    ),
    ...section(
      'altered programs',
      altered.map(({ path, what }) => `${path}: ${what}`),
    ),
    ...section('handed in', [
      ...(facts.answers ?? []).map(({ chapter, lines: given }) => `answers to ${chapter}: ${given.length}`),
      ...(facts.captures ?? []).map(
        ({ path, packets, problem }) => `${path}: ${packets} packets${problem === null ? '' : `; ${problem}`}`,
      ),
    ]),
    ...section(
      'could not be read',
      problems.map(({ source, what }) => `${source}: ${what}`),
    ),
  ];
  return `${lines.map(escapeText).join('\n').trimEnd()}\n`;
}

const listEntries = (values: Record<string, string>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`), ''];

function netLines(title: string, net: Net): string[] {
  const routes = net.routes.filter(({ table, destination }) => table !== 'local' && !/^(fe80|ff00):/.test(destination));
  return section(title, [
    ...net.links.map(linkLine),
    ...routes.map(
      ({ destination, gateway, device }) =>
        `route ${destination}${gateway === null ? '' : ` via ${gateway}`} dev ${device ?? 'none'}`,
    ),
    ...ruleLines(net),
    ...net.sockets.map(
      ({ protocol, address, port, program }) => `${program ?? 'a program'} listens on ${protocol} ${address}:${port}`,
    ),
    `ip_forward ${net.sysctls['net/ipv4/ip_forward'] ?? 'unknown'}, ${net.connections.length} tracked connections, ${net.neighbours.length} neighbours`,
  ]);
}

function linkLine({ name, kind, loopback, up, master, addresses }: Net['links'][number]): string {
  const own = addresses
    .filter(({ address }) => !address.startsWith('fe80:'))
    .map(({ address, prefix }) => `${address}/${prefix}`);
  const port = master === null ? [] : [`in ${master}`];
  return [name, `(${kind ?? (loopback ? 'loopback' : 'device')})`, up ? 'up' : 'down', ...port, ...own].join(' ');
}

function ruleLines({ iptables, nft }: Net): string[] {
  const tables = iptables.flatMap(({ family, variant, name, chains }) =>
    chains
      .filter(({ policy, rules }) => rules.length > 0 || (policy !== null && policy !== 'ACCEPT'))
      .flatMap((chain) => [
        `${family === 'ip6' ? 'ip6tables' : 'iptables'}-${variant} -t ${name}, ${chain.name}${chain.policy === null ? '' : ` (policy ${chain.policy})`}`,
        ...chain.rules.map((rule) => `  ${rule}`),
      ]),
  );
  const shown = new Set(
    iptables.filter(({ variant }) => variant === 'nft').map(({ family, name }) => `${family} ${name}`),
  );
  const native = nft.filter(({ family, name }) => !shown.has(`${family} ${name}`));
  return [
    ...tables,
    ...native.map(({ family, name, objects }) => `nft table ${family} ${name}: ${objects.length} objects`),
  ];
}

/** A difference between two snapshots of one lab host, and whose it is. */
export interface Change extends Difference {
  owner: Owner;
}

/** What has changed since an earlier snapshot. */
export const listChanges = (
  before: Facts,
  { facts, plan, record }: Pick<Case, 'facts' | 'plan' | 'record'>,
): Change[] => diffFacts(before, facts).map((found) => ({ ...found, owner: findOwner(found, plan, record) }));

/** What `lab diff` prints. */
export interface Changes {
  lab: string;
  /** `baseline`, or the file that the earlier snapshot was in. */
  since: string;
  changes: readonly Change[];
}

const signs = { new: '+', gone: '-', changed: '~' } as const;
const owners = { yours: 'yours', world: "the world's", docker: "Docker's", unknown: 'unknown' } as const;

/** What has changed, for people: grouped by subject, each line with its owner. */
export function renderChanges({ lab, since, changes }: Changes): string {
  if (changes.length === 0) return `${escapeText(lab)}: nothing has changed since ${escapeText(since)}\n`;
  const lines = [...Map.groupBy(changes, ({ subject }) => subject)].flatMap(([subject, own]) => [
    subject,
    ...own.map((change) => `  ${renderLine(change)}`),
  ]);
  const counts = [...Map.groupBy(changes, ({ owner }) => owner)].map(
    ([owner, own]) => `${own.length} ${owners[owner]}`,
  );
  return `${[...lines, '', `${lab}: ${changes.length} changes since ${since}: ${counts.join(', ')}`].map(escapeText).join('\n')}\n`;
}

function renderLine({ owner, change, text, scope, was }: Change): string {
  const place = scope === '' ? '' : ` in ${scope}`;
  return `${owners[owner].padEnd(11)} ${signs[change]} ${text}${place}${was === null ? '' : ` (was: ${was})`}`;
}

/** The same as JSON. */
export const renderChangesJson = ({ lab, since, changes }: Changes): string =>
  asciiJson({
    schemaVersion: 1,
    lab,
    since,
    changes: changes.map(({ subject, scope, change, owner, text, was }) => ({
      subject,
      scope,
      change,
      owner,
      text,
      was,
    })),
  });
