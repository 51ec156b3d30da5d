import { readdir, readFile, readlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { run, stateDir } from '@handwired/host';
import { isOwn, type Marks, readMarks } from './marks.ts';

/** The things on a machine that a lab could leave behind. Each section is a sorted list of lines. */
export type Snapshot = Record<string, string[]>;

/** Takes a snapshot. It changes nothing and loads no kernel module on purpose. */
export async function takeSnapshot({ temporary }: Pick<Marks, 'temporary'>): Promise<Snapshot> {
  // First, while nothing that we start to look at the rest runs.
  const running = await processes();
  const bridges = await readBridges();
  const named = async (lines: Promise<string[]>): Promise<string[]> => (await lines).map((line) => name(line, bridges));
  const sections: Record<string, () => Promise<string[]> | string[]> = {
    links: () => named(lines(['ip', '-o', 'link'], /^\d+: (\S+?)(@\S+)?: /, 1)),
    addresses: () => named(lines(['ip', '-o', 'addr'], /^\d+: (\S+ +\S+ \S+)/, 1)),
    routes: () => named(lines(['ip', 'route', 'show', 'table', 'all'])),
    'network namespaces': () => names('/run/netns'),
    iptables: () => rules('iptables-save'),
    ip6tables: () => rules('ip6tables-save'),
    'iptables-legacy': () => rules('iptables-legacy-save'),
    nftables: () => lines(['nft', '-s', 'list', 'ruleset']),
    sysctls,
    mounts,
    processes: () => running,
    'libvirt objects': libvirtObjects,
    'control groups': () => below('/sys/fs/cgroup', 3, /handwired/),
    state: () => below(stateDir(), 4, /./, { onlyEnds: true }),
    files,
    'temporary files': temporaryFiles,
    'temporary files of this run': () => below(temporary, 1, /./),
  };
  const taken = await Promise.all(Object.entries(sections).map(async ([name, read]) => [name, await read()] as const));
  return Object.fromEntries(taken.map(([name, list]) => [name, list.sort()]));
}

/** Sections in which things of others end by themselves: only what came counts. */
const comeAndGo = ['processes', 'control groups', 'temporary files'];

/** What differs between two snapshots: `+` was added, `-` was removed. */
interface Difference {
  /** What this run has left or taken away. */
  own: string[];
  /** What other labs did on the machine meanwhile. */
  others: string[];
}

/** The difference of two snapshots. Sysctls that came with a module don't count. */
function difference(before: Snapshot, after: Snapshot, marks: Marks): Difference {
  const found: Difference = { own: [], others: [] };
  for (const section of Object.keys(before)) {
    const [had, has] = [before[section] ?? [], after[section] ?? []];
    const [old, now] = [new Set(had), new Set(has)];
    const keys = new Set(had.map((line) => line.split(' = ')[0]));
    const counts = (line: string): boolean => section !== 'sysctls' || keys.has(line.split(' = ')[0]);
    const came = has.filter((line) => !old.has(line) && counts(line));
    const went = comeAndGo.includes(section) ? [] : had.filter((line) => !now.has(line));
    for (const [sign, lines] of [
      ['+', came],
      ['-', went],
    ] as const)
      for (const line of lines)
        found[isOwn(section, line, marks) ? 'own' : 'others'].push(`${sign} ${section}: ${line}`);
  }
  return found;
}

/** The difference once the machine has come to rest: the kernel removes namespaces and their links a moment later. */
export async function differenceAtRest(before: Snapshot, marks: Marks, restMs = 8_000): Promise<Difference> {
  const deadline = Date.now() + restMs;
  for (;;) {
    const after = await takeSnapshot(marks);
    await readMarks(marks);
    const found = difference(before, after, marks);
    if (found.own.length === 0 || Date.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** A command's lines, or one group of a pattern in each. A command that this machine lacks has none. */
async function lines(argv: string[], pattern?: RegExp, group = 0): Promise<string[]> {
  const { stdout } = await run(argv, { allowFailure: true }).catch(() => ({ stdout: '' }));
  const all = stdout.split('\n').filter((line) => line.trim() !== '');
  return pattern ? all.map((line) => pattern.exec(line)?.[group] ?? line) : all;
}

/** Links that have the bridge of a VM as their master, with that: libvirt names them `vnet0`, which says nothing. */
async function readBridges(): Promise<Map<string, string>> {
  const found = await lines(['ip', '-o', 'link']);
  const matched = found.map((line) => /^\d+: (\S+?)(?:@\S+)?: .* master (hw-\S+)/.exec(line));
  return new Map(matched.flatMap((match) => (match ? [[match[1] ?? '', match[2] ?? ''] as const] : [])));
}

/** A line with the bridge of the link that it names. */
const name = (line: string, bridges: ReadonlyMap<string, string>): string =>
  [line, ...line.split(/\s+/).flatMap((word) => bridges.get(word) ?? [])].join(' of ');

/** Rules and policies without comments and counters. */
async function rules(command: string): Promise<string[]> {
  const all = await lines([command]);
  return all.filter((line) => !line.startsWith('#')).map((line) => line.replace(/\[\d+:\d+\]/, '').trim());
}

const names = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

/** Keys that the kernel changes by itself. */
const restless = /nf_conntrack_count|\.random|\/stat|tcp_fastopen_key|conf\.[^.]+\.(stable_secret)/;

/** All of net.* that concerns the machine; keys of a link are the link's. */
async function sysctls(): Promise<string[]> {
  const all = await lines(['sysctl', '-a', '-r', '^net\\.']);
  const ofLink = /\.(conf|neigh)\.(?!all\.|default\.|lo\.)/;
  return all.filter((line) => !restless.test(line) && !ofLink.test(line));
}

/** mountinfo of proc_pid_mountinfo(5): where, what kind, from what. */
async function mounts(): Promise<string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8');
  const fields = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '));
  return fields.map((field) => [field[4], ...field.slice(field.indexOf('-') + 1, -1)].join(' '));
}

/** Programs that only our work starts here, by their first words; `handwired-sandbox=ID` is in a sandbox's. */
const ourPrograms =
  /^(\S*\/)?(qemu-system\S*|libvirtd|virtlogd|dnsmasq|pulumi\S*|terraform-\S*|genisoimage|mmdebstrap|sshd -i)( |$)|handwired-sandbox=|\/cli\/main\.ts /;

/**
 * Processes that are a lab's, of any run: by their command line, by what they inherited, or because they live in a mount
 * namespace with folders of ours. Each with its marks.
 */
async function processes(): Promise<string[]> {
  const own = await mountsOf('self');
  const family = await ancestors();
  const found = (await names('/proc')).filter((name) => /^\d+$/.test(name) && !family.has(name));
  const seen = await Promise.all(
    found.map(async (pid) => {
      const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
      const command = (await read('cmdline')).replaceAll('\0', ' ').trim();
      const [theirs, environment, groups] = await Promise.all([mountsOf(pid), read('environ'), read('cgroup')]);
      const inherited = environment.match(/HANDWIRED_(RUN|ENGINE)=\w+/g)?.join(' ');
      const ours = ourPrograms.test(command) || inherited !== undefined || (theirs !== own && /handwired/.test(theirs));
      const space = await readlink(`/proc/${pid}/ns/pid`).catch(() => '');
      const mark =
        /(handwired-sandbox=|guest=handwired-)[\w-]+/.exec(command)?.[0] ??
        /handwired-[\w-]+/.exec(groups)?.[0] ??
        // Of a private hypervisor, which serves the labs of several runs, whoever started it.
        /\/handwired-[0-9a-f]{8}\b/.exec(theirs === own ? '' : theirs)?.[0] ??
        inherited;
      return { pid, command, ours, space, mark };
    }),
  );
  // In a sandbox only the first process has the mark in its command line, and cgroups are not everywhere.
  const here = await readlink('/proc/self/ns/pid');
  const firsts = seen.filter(({ space, mark }) => space !== here && mark?.startsWith('handwired-sandbox='));
  const sandboxes = new Map(firsts.map(({ space, mark }) => [space, mark]));
  return seen
    .filter(({ command, ours, space }) => (ours || sandboxes.has(space)) && command !== '')
    .map(({ pid, command, space, mark }) =>
      [pid, command.slice(0, 160), mark ?? sandboxes.get(space)].filter((word) => word !== undefined).join(' '),
    );
}

const mountsOf = (pid: string): Promise<string> => readFile(`/proc/${pid}/mountinfo`, 'utf8').catch(() => '');

/** This process and those that it comes from. */
async function ancestors(): Promise<Set<string>> {
  const family = new Set<string>();
  for (let pid = String(process.pid); pid !== '0' && !family.has(pid); ) {
    family.add(pid);
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    pid = /^PPid:\s+(\d+)/m.exec(status)?.[1] ?? '0';
  }
  return family;
}

/** Domains, networks, pools and volumes of the system's libvirt daemon; a private one shows among the processes. */
async function libvirtObjects(): Promise<string[]> {
  const virsh = (...words: string[]): Promise<string[]> => lines(['virsh', '-q', '-c', 'qemu:///system', ...words]);
  const [domains, networks, pools] = await Promise.all([
    virsh('list', '--all', '--name'),
    virsh('net-list', '--all', '--name'),
    virsh('pool-list', '--all', '--name'),
  ]);
  const kinds = { domain: domains, network: networks, pool: pools };
  return Object.entries(kinds).flatMap(([kind, list]) => list.map((name) => `${kind} ${name.trim()}`));
}

/** Names by which our tools leave files in folders that everyone writes to. */
const tmpNames =
  /handwired|pulumi|terraform|tsx-|compile-cache|libvirt|qemu|cloudinit|mmdebstrap|genisoimage|go-build|virt/;

/** Files that we, or the tools we start, could leave: the home's dot folders, services' folders, resolver files. */
async function files(): Promise<string[]> {
  const home = homedir();
  const listed = ['/var/lib', '/var/log', '/etc/netns', home, join(home, '.config'), join(home, '.local/share')];
  const [rest, resolver] = await Promise.all([
    Promise.all(listed.map((folder) => below(folder, 1, /./))),
    Promise.all(['/etc/resolv.conf', '/etc/hosts'].map((path) => readFile(path, 'utf8').catch(() => ''))),
  ]);
  return [...rest.flat(), ...resolver.map((text) => JSON.stringify(text))];
}

/** Those in folders that everyone writes to. */
async function temporaryFiles(): Promise<string[]> {
  const shared = ['/tmp', '/var/tmp'].map((folder) => below(folder, 1, tmpNames));
  return (await Promise.all([below('/run', 1, /./), ...shared])).flat();
}

/** Paths below a folder that match, down to a depth; `onlyEnds`: without folders whose entries are listed. */
async function below(folder: string, depth: number, pattern: RegExp, { onlyEnds = false } = {}): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const nested = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      const deeper = entry.isDirectory() && depth > 1 ? await below(path, depth - 1, pattern, { onlyEnds }) : [];
      const listed = pattern.test(path.slice(folder.length)) && !(onlyEnds && deeper.length > 0);
      return listed ? [path, ...deeper] : deeper;
    }),
  );
  return nested.flat();
}
