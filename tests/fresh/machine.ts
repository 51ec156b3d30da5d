import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, cp, mkdir, readdir, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '@handwired/host';
import { listFiles, root as checkout } from '../../scripts/files.ts';
import { copyRoot, removeRoot } from './root.ts';
import type { Suite } from './suites.ts';

/** How one machine differs from another of its suite. */
export interface Circumstances {
  /** The checkout is the content of a tarball: no .git. */
  tarball?: boolean;
  /** Who types: a plain user of this name, who is made first. Default: root. */
  user?: string;
  /** Added to the environment. */
  env?: Record<string, string>;
  /** Run in the root before anything else, by sh. */
  prepare?: string;
}

/**
 * How a command was typed. `network`: whether the machine has more than lo. `asRoot`: by an administrator where the user is
 * a plain one. `killAfterMs`: the power goes off then.
 */
export interface Typing {
  network?: boolean;
  asRoot?: boolean;
  killAfterMs?: number;
}

/**
 * What came of a command: exit code (null: the power went off), all that it printed, and how much of the disk was taken in
 * bytes: at the most, and at its end. The disk is the one of this machine, so others' files count too.
 */
export interface Outcome {
  code: number | null;
  text: string;
  seconds: number;
  disk: { peak: number; end: number };
}

/** What of this machine's environment leads to its mirrors. */
const passed =
  /^(pip_|npm_config_|goproxy$|gosumdb$|gonosumdb$|goprivate$|ssl_cert_|node_(extra|use)_|https?_proxy$|no_proxy$)/i;

/** A machine that has nothing of ours: a root of its own, and a checkout in its user's home. */
export class FreshMachine {
  readonly root: string;
  private readonly home: string;
  private readonly circumstances: Circumstances;

  private constructor(root: string, home: string, circumstances: Circumstances) {
    this.root = root;
    this.home = home;
    this.circumstances = circumstances;
  }

  static async make(suite: Suite, circumstances: Circumstances = {}): Promise<FreshMachine> {
    const root = await copyRoot(suite);
    const { user } = circumstances;
    const machine = new FreshMachine(root, user === undefined ? '/root' : `/home/${user}`, circumstances);
    if (user !== undefined) await run(['chroot', root, 'useradd', '--create-home', '--shell', '/bin/bash', user]);
    const place = join(root, machine.home, 'handwired');
    if (circumstances.tarball !== true) await run(['git', 'clone', '-q', '--no-hardlinks', checkout, place]);
    // What is not committed yet belongs to it too.
    for (const file of listFiles()) {
      await mkdir(dirname(join(place, file)), { recursive: true });
      await cp(join(checkout, file), join(place, file), { verbatimSymlinks: true });
    }
    if (user !== undefined) await run(['chroot', root, 'chown', '-R', `${user}:${user}`, `${machine.home}/handwired`]);
    if (circumstances.prepare !== undefined) await run(['chroot', root, 'sh', '-c', circumstances.prepare]);
    return machine;
  }

  /** Types a command line in the checkout. */
  async type(line: string, { network = true, asRoot = false, killAfterMs }: Typing = {}): Promise<Outcome> {
    const user = asRoot ? undefined : this.circumstances.user;
    const as = user === undefined ? [] : ['setpriv', '--reuid', user, '--regid', user, '--init-groups', '--'];
    const group = `handwired-fresh-${process.pid}`;
    const kept = Object.entries(process.env).filter(([name]) => passed.test(name));
    const began = performance.now();
    const free = await this.readFree();
    let least = free;
    const look = setInterval(() => void this.readFree().then((now) => (least = Math.min(least, now))), 500);
    const enter = ['--pdeathsig', 'KILL', '--', join(import.meta.dirname, 'enter.sh'), this.root, this.home];
    // The machine ends with this process, as unshare keeps its number and ends all of it.
    const child = spawn('setpriv', [...enter, ...as, 'sh', '-c', line], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...Object.fromEntries(kept),
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        HOME: asRoot ? '/root' : this.home,
        USER: user ?? 'root',
        TERM: 'dumb',
        LANG: 'C.UTF-8',
        FRESH_GROUP: group,
        FRESH_NETWORK: network ? 'yes' : 'no',
        ...this.circumstances.env,
      },
    });
    const log = `${this.root}.log`;
    let text = '';
    const keep = (chunk: Buffer): void => {
      text += chunk.toString();
      void appendFile(log, chunk);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.stdin.end('y\n');
    // unshare ends with its parent's signal, and with it the first process of the PID namespace, and so all.
    const off = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(off);
    clearInterval(look);
    await removeGroups(group);
    const end = free - (await this.readFree());
    const disk = { peak: Math.max(free - least, end), end };
    return { code, text, seconds: (performance.now() - began) / 1000, disk };
  }

  /** Free bytes of the disk. */
  private async readFree(): Promise<number> {
    const { bavail, bsize } = await statfs(this.root);
    return bavail * bsize;
  }

  async remove(): Promise<void> {
    await removeRoot(this.root);
    await rm(`${this.root}.log`, { force: true });
  }
}

/** Removes the cgroups of a machine. The kernel ends its processes a moment after its first one. */
async function removeGroups(name: string): Promise<void> {
  const hierarchies = await readdir('/sys/fs/cgroup');
  const script = 'for top; do [ ! -d "$top" ] || find "$top" -depth -type d -exec rmdir {} \\; ; done 2>/dev/null; :';
  await run(['sh', '-c', script, 'sh', ...['', ...hierarchies].map((each) => join('/sys/fs/cgroup', each, name))]);
}
