import { world } from '@handwired/host';
import type { File } from '../../facts/facts.ts';
import type { Case } from '../../queries/check.ts';
import { command } from '../../queries/commands.ts';
import { restoreFile } from '../../queries/leftovers.ts';
import { findNetns, findResolvConf } from '../../queries/links.ts';
import type { Which } from '../../queries/paths.ts';
import { findSights } from '../../queries/sights.ts';
import type { Walk } from '../../queries/walk.ts';
import type { Cause } from '../cause.ts';

const atNames = { hop: 'names', explains: ['dns.ct1', 'dns.ct2'], structural: true } as const;

/** nsswitch.conf as a program under `ip netns exec NAME` sees it; undefined: on the lab host. */
function nsswitchFor({ facts }: Case, name: string | undefined): File | undefined {
  const find = (path: string) => facts.files.find((file) => file.path === path && file.kind !== 'absent');
  return (name === undefined ? undefined : find(`/etc/netns/${name}/nsswitch.conf`)) ?? find('/etc/nsswitch.conf');
}

interface Asked {
  which: Which;
  name: string;
  file: File | undefined;
  own: boolean;
  servers: string[];
}

/** The resolv.conf that a name lookup in the path's container reads, with its servers. */
function asked(lab: Case, { path, probe }: Walk): Asked | undefined {
  const which = path.containers[0];
  if (which === undefined || probe === undefined) return undefined;
  const { name } = lab.plan[which];
  const file = findResolvConf(lab.facts, name);
  const servers = [...(file?.text ?? '').matchAll(/^nameserver\s+(\S+)/gm)].map((match) => match[1] ?? '');
  return { which, name, file, own: file?.path.startsWith('/etc/netns/') === true, servers };
}

const findPlace = ({ file, own }: Asked): string =>
  own ? (file?.path ?? '') : "the lab host's own resolv.conf, for there is none in /etc/netns";

const write = ({ plan }: Case, name: string): string[] => [
  command('mkdir', '-p', `/etc/netns/${name}`),
  command('rm', '-rf', `/etc/netns/${name}/resolv.conf`),
  `echo nameserver ${command(plan.resolver)} > ${command(`/etc/netns/${name}/resolv.conf`)}`,
];

/** Is there a listener on port 53 at an address, in the container or on the lab host? */
function listens({ facts }: Case, { name }: Asked, server: string): boolean {
  const loopback = server.startsWith('127.');
  const sockets = loopback ? findNetns(facts, name)?.net?.sockets : facts.here.sockets;
  // In a container NAT may change the port, so any listener on a port above 1023 may be the right one.
  return (sockets ?? []).some(({ port, address, protocol }) => {
    if (protocol !== 'udp') return false;
    return loopback
      ? port === 53 || port > 1023
      : port === 53 && (address.startsWith(server) || ['0.0.0.0', '*'].includes(address));
  });
}

const paths = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf'];

/** Files of the lab host's own resolver that differ from the baseline. */
const changed = ({ facts, baseline }: Case): { now: File | undefined; was: File }[] =>
  paths.flatMap((path) => {
    const [now, was] = [facts, baseline].map(({ files }) => files.find((file) => file.path === path));
    const same = now?.kind === was?.kind && now?.target === was?.target && now?.sha256 === was?.sha256;
    return same || !was ? [] : [{ now, was }];
  });

/** Chapter 07: resolver files of the containers and of the lab host. */
export const nameCauses: Cause[] = [
  {
    ...atNames,
    id: 'nsswitch-without-dns',
    explains: ['dns.'],
    detect: (lab, { path, probe }) => {
      const which = path.containers[0];
      const name = which === undefined ? undefined : lab.plan[which].name;
      const file = nsswitchFor(lab, name);
      const hosts = /^hosts:(.*)$/m.exec(file?.text ?? '')?.[1];
      if (!file || hosts === undefined || /\b(dns|resolve)\b/.test(hosts)) return undefined;
      if (name !== undefined && probe !== undefined && findSights(lab.evidence, probe, { in: name }).length > 0)
        return undefined;
      const was = lab.baseline.files.find((one) => one.path === file.path && one.kind !== 'absent');
      return {
        which,
        seen: [`${file.path}: hosts:${hosts}`],
        wrong: `${file.path} has the line hosts:${hosts}: the C library asks no name server at all.`,
        mend: was ? restoreFile({ now: file, was }) : [command('rm', file.path)],
      };
    },
  },
  {
    ...atNames,
    id: 'host-resolver-overwritten',
    explains: ['dns.host', 'dns.ct'],
    detect: (lab, walk) => {
      const found = changed(lab);
      const first = found[0];
      if (!first || walk.path.containers.length > 0) return undefined;
      const through = first.now?.kind === 'symlink' && first.was.kind === 'symlink';
      const mends = found.map(restoreFile);
      const names = found.map(({ was }) => was.path).join(', ');
      return {
        seen: [
          `${names}: not as in the baseline`,
          ...(through ? [`${first.was.path} is a symlink to ${first.now?.real ?? ''}`] : []),
        ],
        wrong:
          first.was.path === '/etc/resolv.conf'
            ? `ip netns exec gives a namespace its own resolv.conf only if /etc/netns/NAME/resolv.conf exists. Without it, writing to /etc/resolv.conf in there writes the lab host's${through ? ', through the symlink' : ''}.`
            : `${names} of the lab host was changed; containers read it, and so does everything else.`,
        mend: mends.every((one) => one !== undefined) ? mends.flat() : undefined,
      };
    },
  },
  {
    ...atNames,
    id: 'resolver-file-missing',
    detect: (lab, walk) => {
      const at = asked(lab, walk);
      const loopback = at?.servers.find((server) => server.startsWith('127.'));
      if (!at || at.own || loopback === undefined || listens(lab, at, loopback)) return undefined;
      return {
        which: at.which,
        seen: [`/etc/netns/${at.name}/resolv.conf is not there`, `/etc/resolv.conf says nameserver ${loopback}`],
        wrong: `${at.name} reads ${findPlace(at)}: nameserver ${loopback} is ${at.name}'s own loopback there, where nobody listens on port 53.`,
        mend: write(lab, at.name),
      };
    },
  },
  {
    ...atNames,
    id: 'resolver-file-empty',
    detect: (lab, walk) => {
      const at = asked(lab, walk);
      if (!at || at.servers.length > 0 || !at.own) return undefined;
      return {
        which: at.which,
        seen: [`${at.file?.path ?? ''} (${at.file?.kind ?? 'absent'}) has no line with nameserver`],
        wrong: `${at.name} reads ${findPlace(at)}: no nameserver in it.`,
        mend: write(lab, at.name),
      };
    },
  },
  {
    ...atNames,
    id: 'resolver-not-listening',
    detect: (lab, walk) => {
      const at = asked(lab, walk);
      const own = at?.servers.find((server) => server.startsWith('127.') || server === lab.plan.gateway);
      if (!at?.own || own === undefined || listens(lab, at, own)) return undefined;
      const where = own.startsWith('127.') ? `in ${at.name}` : 'on the lab host';
      return {
        which: at.which,
        seen: [`${at.file?.path ?? ''} says nameserver ${own}`, `nobody listens on ${own}:53 ${where}`],
        wrong: `${at.name} reads ${findPlace(at)}: nameserver ${own}, where nobody listens on port 53.`,
        mend: write(lab, at.name),
      };
    },
  },
  {
    ...atNames,
    id: 'resolver-unreachable',
    detect: (lab, walk) => {
      const at = asked(lab, walk);
      const known = [...world.resolvers, lab.plan.gateway] as string[];
      if (!at || at.servers.length === 0) return undefined;
      if (at.servers.some((server) => known.includes(server) || server.startsWith('127.'))) return undefined;
      return {
        which: at.which,
        seen: [`${at.file?.path ?? ''} says nameserver ${at.servers.join(', ')}`],
        wrong: `${at.name} reads ${findPlace(at)}: nameserver ${at.servers.join(', ')} is no name server.`,
        mend: write(lab, at.name),
      };
    },
  },
  {
    ...atNames,
    id: 'resolver-makes-up',
    detect: (lab, walk) => {
      const at = asked(lab, walk);
      const { evidence } = lab;
      if (!at || walk.probe === undefined || !evidence.results[walk.probe]?.ok) return undefined;
      if (findSights(evidence, walk.probe, { in: 'world', way: 'in' }).length > 0) return undefined;
      return {
        which: at.which,
        seen: [
          `an answer came, and no query arrived in the world`,
          `${at.file?.path ?? ''} says nameserver ${at.servers.join(', ')}`,
        ],
        wrong: 'Something on the lab host makes the answer up: the world was not asked, or said otherwise.',
        mend: write(lab, at.name),
      };
    },
  },
];

const atLookups = { hop: 'names', explains: ['dns.ct1', 'dns.ct2'], structural: true } as const;

/** Chapter 07: the name that is asked for, and the order of the servers: resolv.conf(5). */
export const lookupCauses: Cause[] = [
  {
    ...atLookups,
    id: 'search-domain-first',
    detect: (lab, walk) => {
      const at = asked(lab, walk);
      const foundAs = walk.probe === undefined ? undefined : lab.evidence.results[walk.probe]?.foundAs;
      const search = /^(?:search|domain)\s+(.+)$/m.exec(at?.file?.text ?? '')?.[1]?.trim();
      const dots = /^options\s.*\bndots:(\d+)/m.exec(at?.file?.text ?? '')?.[1];
      if (!at || foundAs === undefined || search === undefined) return undefined;
      return {
        which: at.which,
        seen: [`the answer is about ${foundAs}`, `${at.file?.path ?? ''} has search ${search}, ndots:${dots ?? '1'}`],
        wrong: `${at.name} reads ${findPlace(at)}: a name with fewer than ${dots ?? '1'} dots is first asked for under ${search}, and there it is answered: as ${foundAs}.`,
        mend: write(lab, at.name),
      };
    },
  },
  {
    ...atLookups,
    id: 'resolver-dead-first',
    detect: (lab, walk) => {
      const at = asked(lab, walk);
      const known: readonly string[] = [...world.resolvers, lab.plan.gateway];
      const [server, ...others] = at?.servers ?? [];
      if (!at || walk.probe === undefined || server === undefined || known.includes(server)) return undefined;
      if (server.startsWith('127.') || !others.some((other) => known.includes(other))) return undefined;
      if (findSights(lab.evidence, walk.probe, { what: 'answer', source: server }).length > 0) return undefined;
      return {
        which: at.which,
        seen: [`${at.file?.path ?? ''} says nameserver ${at.servers.join(', ')}`, `no answer came from ${server}`],
        wrong: `${at.name} reads ${findPlace(at)}: nameserver ${server} is asked first and is none; the next is asked only when the time for an answer is over, for each name anew.`,
        mend: write(lab, at.name),
      };
    },
  },
];
