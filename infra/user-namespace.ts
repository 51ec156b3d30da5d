import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { EXIT, LabError, run } from '@handwired/host';

/** Whether we are root, here or in the user namespace that we run in. */
export const isRoot = (): boolean => process.getuid?.() === 0;

/** The beginning of a printed command that takes an administrator: `sudo `, or nothing for root. */
export const sudoPrefix = (): string => (isRoot() ? '' : 'sudo ');

/**
 * In front of an argv: a user namespace in which a plain user is root, with the user's subordinate ids (subuid(5)) for all
 * other users in it. Empty for root, who needs none.
 */
export const asRoot = (): string[] => (isRoot() ? [] : ['unshare', '--user', '--map-root-user', '--map-auto']);

/** What a lab host is made of: network and mount namespaces, and a /proc of one's own, as a sandbox has it. */
const probe = ['unshare', '--net', '--mount', '--pid', '--fork', '--propagation', 'private', 'mount', '-t', 'proc'];

/** Why a lab host can't be made here by this user, and the command that changes it. */
export interface Refusal {
  what: string;
  where: string;
  next: string;
}

/** Tries to make namespaces. Undefined when this user can make all that a lab host needs. */
export async function findRefusal(signal: AbortSignal): Promise<Refusal | undefined> {
  const { code, stderr } = await run([...asRoot(), ...probe, 'proc', '/proc'], {
    signal,
    timeoutMs: 60_000,
    allowFailure: true,
  });
  if (code === 0) return undefined;
  const said = stderr.trim().split('\n').at(-1) ?? '';
  return isRoot() ? refusedToRoot(said) : explainRefusal(said, await readLimits());
}

/** LabError, before anything is made, when this user can't make namespaces here. */
export async function requireNamespaces(signal: AbortSignal): Promise<void> {
  const refusal = await findRefusal(signal);
  if (refusal) throw new LabError({ ...refusal, exit: EXIT.config });
}

const refusedToRoot = (said: string): Refusal => ({
  what: `this machine refuses namespaces to root: ${said}`,
  where: 'a container without the capability SYS_ADMIN, or with parts of /proc hidden',
  next: 'docker run --privileged -it handwired   (the container anew)',
});

/** What of this machine decides whether a plain user may make namespaces. */
export interface Limits {
  /** Of this user: lines of subuid(5) and subgid(5). */
  subordinate: boolean;
  /** sysctls that forbid user namespaces, with the values that they have. */
  sysctls: Record<string, string>;
}

/** A sysctl, the values that forbid user namespaces, and one that allows them. */
const switches: { name: string; forbids: (value: string) => boolean; allow: string; who: string }[] = [
  { name: 'user.max_user_namespaces', forbids: (value) => value === '0', allow: '15000', who: 'the kernel' },
  { name: 'kernel.unprivileged_userns_clone', forbids: (value) => value === '0', allow: '1', who: "Debian's kernel" },
  {
    name: 'kernel.apparmor_restrict_unprivileged_userns',
    forbids: (value) => value !== '0',
    allow: '0',
    who: 'AppArmor',
  },
];

async function readLimits(): Promise<Limits> {
  const { username, uid } = userInfo();
  const lines = await Promise.all(
    ['/etc/subuid', '/etc/subgid'].map(async (file) => (await readFile(file, 'utf8').catch(() => '')).split('\n')),
  );
  const mine = (line: string): boolean => line.startsWith(`${username}:`) || line.startsWith(`${uid}:`);
  const sysctls: Limits['sysctls'] = {};
  for (const { name } of switches) {
    const value = await readFile(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').catch(() => '');
    if (value !== '') sysctls[name] = value.trim();
  }
  return { subordinate: lines.every((file) => file.some(mine)), sysctls };
}

/** The most probable reason, by what decides, and what an administrator types. `said`: the last line of unshare(1). */
export function explainRefusal(said: string, { subordinate, sysctls }: Limits): Refusal {
  for (const { name, forbids, allow, who } of switches) {
    const value = sysctls[name];
    if (value === undefined || !forbids(value)) continue;
    return {
      what: `${who} forbids namespaces to plain users: ${name} is ${value}`,
      where: said,
      next: `sudo sysctl ${name}=${allow}   (until the next boot; or as root: sudo -E node_modules/.bin/lab up)`,
    };
  }
  if (!subordinate)
    return {
      what: `${userInfo().username} has no subordinate ids, which become the other users of a lab host`,
      where: '/etc/subuid and /etc/subgid',
      next: `sudo usermod --add-subuids 1000000-1065535 --add-subgids 1000000-1065535 ${userInfo().username}`,
    };
  return {
    what: `this machine refuses namespaces to plain users: ${said}`,
    where: 'a container, or a kernel without user namespaces',
    next: 'sudo -E node_modules/.bin/lab up',
  };
}
