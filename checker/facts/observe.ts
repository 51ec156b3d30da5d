import { LabError, type OpenSeat, readJson, writeAtomic } from '@handwired/host';
import { runRemote } from '../remote.ts';
import { Facts } from './facts.ts';
import { parseFacts, Raw } from './parse.ts';

/**
 * The files behind the learner's commands. A snapshot compares each of them byte by byte, from the seat. Libraries are
 * given by their names in /usr/lib/ARCHITECTURE-linux-gnu.
 */
export const tools = {
  commands: [
    'ip',
    'bridge',
    'ss',
    'tc',
    'nft',
    'conntrack',
    'brctl',
    'sysctl',
    'nsenter',
    'unshare',
    'lsns',
    'mount',
    'setsid',
    'iptables',
    'iptables-save',
    'iptables-restore',
    'ip6tables',
    'ip6tables-save',
    'ip6tables-restore',
    'iptables-nft',
    'iptables-legacy',
    'xtables-nft-multi',
    'xtables-legacy-multi',
    'ping',
    'curl',
    'wget',
    'dig',
    'host',
    'getent',
    'nc',
    'socat',
    'tcpdump',
    'traceroute',
    'openssl',
    'python3',
    'bash',
    'dash',
    'sh',
    'env',
    'sudo',
    'sshd',
    'ssh',
    'systemctl',
    'ps',
    'cat',
    'grep',
    'ls',
    'readlink',
  ],
  libraries: [
    'ld-linux-x86-64.so.2',
    'ld-linux-aarch64.so.1',
    'libc.so.6',
    'libm.so.6',
    'libresolv.so.2',
    'libnss_files.so.2',
    'libnss_dns.so.2',
    'libnss_resolve.so.2',
    'libnss_myhostname.so.2',
    'libnss_compat.so.2',
    'libmnl.so.0',
    'libnftnl.so.11',
    'libnftables.so.1',
    'libxtables.so.12',
    'libnetfilter_conntrack.so.3',
    'libcurl.so.4',
    'libssl.so.3',
    'libcrypto.so.3',
    'libtinfo.so.6',
    'libcap.so.2',
    'libelf.so.1',
    'libbpf.so.1',
  ],
  /** Files that the dynamic linker reads first: ld.so(8). */
  settings: ['/etc/ld.so.preload', '/etc/ld.so.conf', '/etc/ld.so.cache'],
  /** Files that can give a command another meaning in a shell: aliases, functions, PATH. */
  shells: ['/root/.bashrc', '/root/.bash_aliases', '/root/.bash_profile', '/root/.profile', '/home/lab/.bashrc']
    .concat([
      '/home/lab/.bash_aliases',
      '/home/lab/.bash_profile',
      '/home/lab/.profile',
      '/etc/bash.bashrc',
      '/etc/profile',
    ])
    .concat(['/etc/environment']),
} as const;

/** Options of a snapshot. */
export interface ObserveOptions {
  /** Facts from before the learner touched the lab host. They identify the world's namespace. */
  baseline?: Facts;
  signal?: AbortSignal;
}

/**
 * Takes one snapshot of the lab host in one round trip.
 * Throws LabError when the answer is missing, incomplete, or lacks the lab host's own links.
 */
export async function observeFacts(seat: OpenSeat, options: ObserveOptions = {}): Promise<Facts> {
  return parseWhole(await observeRaw(seat, options));
}

/** Takes a snapshot without parsing it. `docker` is the scope of a namespace whose Docker is read too. */
export async function observeRaw(
  seat: OpenSeat,
  { baseline, signal, docker }: ObserveOptions & { docker?: string } = {},
): Promise<Raw> {
  const answer = await runRemote(seat, {
    program: 'facts',
    parameters: { limit: 1 << 20, seconds: 20, world: knownWorld(baseline), tools, docker: docker ?? null },
    timeoutMs: 60_000,
    maxBytes: 16 << 20,
    signal,
  });
  const raw = Raw.safeParse(answer);
  if (raw.success) return raw.data;
  throw unreadable(`its snapshot has another shape: ${raw.error.issues[0]?.path.join('.') ?? ''}`);
}

/** Parses a snapshot. Throws LabError when it lacks the lab host's own links. */
export function parseWhole(raw: Raw): Facts {
  const facts = parseFacts(raw);
  if (facts.here.links.length > 0) return facts;
  const reason = facts.problems.find((problem) => problem.source.startsWith('root ip'));
  throw unreadable(`its links could not be read (${reason?.what ?? 'none listed'})`);
}

/** What the agent's programs need to recognise the world's namespace: `find_world` in agent/processes.py. */
export const knownWorld = (baseline: Facts | undefined): { inode: number; boot: string; host: number } | null =>
  baseline?.world.inode ? { inode: baseline.world.inode, boot: baseline.host.boot, host: baseline.host.inode } : null;

const unreadable = (what: string): LabError =>
  new LabError({ what: `the lab host can't be observed: ${what}`, next: 'lab reset' });

/** Writes facts as JSON, atomically. */
export const saveFacts = (file: string, facts: Facts): Promise<void> => writeAtomic(file, `${JSON.stringify(facts)}\n`);

/** Reads facts back. Gives undefined when there is no file. Throws LabError when the file has another version. */
export const loadFacts = (file: string): Promise<Facts | undefined> => readJson(file, Facts);
