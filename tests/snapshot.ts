import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { run, stateDir } from '@handwired/host';

/** The things on a machine that a lab could leave behind. Each section is a sorted list of lines. */
export type Snapshot = Record<string, string[]>;

/** Takes a snapshot. It changes nothing and loads no kernel module on purpose. */
export async function takeSnapshot(): Promise<Snapshot> {
  // First, while nothing that we start to look at the rest runs.
  const running = await processes();
  const sections: Record<string, () => Promise<string[]> | string[]> = {
    links: () => lines(['ip', '-o', 'link'], /^\d+: (\S+?)(@\S+)?: /, 1),
    addresses: () => lines(['ip', '-o', 'addr'], /^\d+: (\S+ +\S+ \S+)/, 1),
    routes: () => lines(['ip', 'route', 'show', 'table', 'all']),
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
    files,
    'temporary files': temporaryFiles,
  };
  const taken = await Promise.all(Object.entries(sections).map(async ([name, read]) => [name, await read()] as const));
  return Object.fromEntries(taken.map(([name, list]) => [name, list.sort()]));
}

/** Sections in which things of others end by themselves: only what came counts. */
const comeAndGo = ['processes', 'control groups', 'temporary files'];

/** The difference of two snapshots: `+` was added, `-` was removed. Sysctls that came with a module don't count. */
function difference(before: Snapshot, after: Snapshot): string[] {
  return Object.keys(before).flatMap((section) => {
    const [had, has] = [before[section] ?? [], after[section] ?? []];
    const [old, now] = [new Set(had), new Set(has)];
    const keys = new Set(had.map((line) => line.split(' = ')[0]));
    const counts = (line: string): boolean => section !== 'sysctls' || keys.has(line.split(' = ')[0]);
    const came = has.filter((line) => !old.has(line) && counts(line));
    const went = comeAndGo.includes(section) ? [] : had.filter((line) => !now.has(line));
    return [...came.map((line) => `+ ${section}: ${line}`), ...went.map((line) => `- ${section}: ${line}`)];
  });
}

/** The difference once the machine has come to rest: the kernel removes namespaces and their links a moment later. */
export async function differenceAtRest(before: Snapshot, restMs = 8_000): Promise<string[]> {
  const deadline = Date.now() + restMs;
  for (;;) {
    const left = difference(before, await takeSnapshot());
    if (left.length === 0 || Date.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** A command's lines, or one group of a pattern in each. A command that this machine lacks has none. */
async function lines(argv: string[], pattern?: RegExp, group = 0): Promise<string[]> {
  const { stdout } = await run(argv, { allowFailure: true }).catch(() => ({ stdout: '' }));
  const all = stdout.split('\n').filter((line) => line.trim() !== '');
  return pattern ? all.map((line) => pattern.exec(line)?.[group] ?? line) : all;
}

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
const ours =
  /^(\S*\/)?(qemu-system\S*|libvirtd|virtlogd|dnsmasq|pulumi\S*|terraform-\S*|genisoimage|mmdebstrap|sshd -i)( |$)|handwired-sandbox=|\/cli\/main\.ts /;

/** Processes that are ours by their command line, or that live in a mount namespace with folders of ours. */
async function processes(): Promise<string[]> {
  const own = await mountsOf('self');
  const family = await ancestors();
  const found = (await names('/proc')).filter((name) => /^\d+$/.test(name) && !family.has(name));
  const shown = await Promise.all(
    found.map(async (pid) => {
      const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim();
      if (command === '') return [];
      const theirs = await mountsOf(pid);
      return ours.test(command) || (theirs !== own && /handwired/.test(theirs))
        ? [`${pid} ${command.slice(0, 160)}`]
        : [];
    }),
  );
  return shown.flat();
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

/** Files that we, or the tools we start, could leave: state, the home's dot folders, services' folders, resolver files. */
async function files(): Promise<string[]> {
  const home = homedir();
  const listed = ['/var/lib', '/var/log', '/etc/netns', home, join(home, '.config'), join(home, '.local/share')];
  const [state, rest, resolver] = await Promise.all([
    below(stateDir(), 4, /./),
    Promise.all(listed.map((folder) => below(folder, 1, /./))),
    Promise.all(['/etc/resolv.conf', '/etc/hosts'].map((path) => readFile(path, 'utf8').catch(() => ''))),
  ]);
  return [...state, ...rest.flat(), ...resolver.map((text) => JSON.stringify(text))];
}

/** Those in folders that everyone writes to. */
async function temporaryFiles(): Promise<string[]> {
  const shared = ['/tmp', '/var/tmp'].map((folder) => below(folder, 1, tmpNames));
  return (await Promise.all([below('/run', 1, /./), ...shared])).flat();
}

/** Paths below a folder that match, down to a depth. */
async function below(folder: string, depth: number, pattern: RegExp): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const nested = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      const deeper = entry.isDirectory() && depth > 1 ? await below(path, depth - 1, pattern) : [];
      return pattern.test(path.slice(folder.length)) ? [path, ...deeper] : deeper;
    }),
  );
  return nested.flat();
}
