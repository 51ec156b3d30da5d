import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { cacheDir, partialSuffix, stateDir } from '@handwired/host';

/**
 * What tells the things of one run of ours from those of other labs on this machine: of the user, of another run, in
 * the same state folder or in another one. Labs of this run have their state below `temporary`, or one of these
 * `names` in this process's state folder.
 */
export interface Marks {
  /** HANDWIRED_RUN of this process and of all that it starts. */
  run: string;
  /** TMPDIR of this process and of all that it starts. */
  temporary: string;
  names: Set<string>;
  /** Instance ids of this run's labs. */
  instances: Set<string>;
  /** Names of the private hypervisors' folders under /run that are only this run's. */
  hypervisors: Set<string>;
  /** Forgets the marks and removes `temporary`. */
  end(): Promise<void>;
}

/** Makes the marks of a new run, and sets them in this process's environment. */
export async function makeMarks(names: readonly string[] = []): Promise<Marks> {
  const temporary = await mkdtemp(join(tmpdir(), 'handwired-run-'));
  const run = randomBytes(6).toString('hex');
  const own = { HANDWIRED_RUN: run, TMPDIR: temporary };
  const before = Object.keys(own).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, own);
  const end = async (): Promise<void> => {
    for (const [name, value] of before)
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    await rm(temporary, { recursive: true, force: true });
  };
  return {
    ...{ run, temporary, end, names: new Set(names) },
    ...{ instances: new Set(), hypervisors: new Set() },
  };
}

/**
 * Notes the labs of this run that exist now in a state folder: their instance ids and their private hypervisor. To be
 * called while they exist, as their state goes with them.
 */
export async function readMarks(marks: Marks, state = stateDir()): Promise<void> {
  const own = (name: string): boolean => state.startsWith(marks.temporary) || marks.names.has(name);
  const read = (...path: string[]): Promise<string> => readFile(join(state, ...path), 'utf8').catch(() => '');
  for (const name of (await list(join(state, 'labs'))).filter(own)) {
    // The spare is written first, before anything is made.
    for (const file of ['lab.spare.json', 'lab.json']) {
      const instance = /"instance": "(\w+)"/.exec(await read('labs', name, file))?.[1];
      if (instance !== undefined) marks.instances.add(instance);
    }
    const socket = /"uri": "[^"]*socket=([^"]+)"/.exec(await read('labs', name, 'vm/vm.json'))?.[1];
    if (socket !== undefined) marks.hypervisors.add(basename(dirname(socket)));
  }
  const users = (await list(join(state, 'hypervisor/users'))).filter((name) => !name.endsWith(partialSuffix));
  // One private hypervisor serves all labs of a state folder. While a lab of somebody else is there, it is theirs.
  if (!users.every(own)) marks.hypervisors.clear();
}

const list = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

/** A mark of any run or lab. Beside a mark of this run it does not count. */
const anyMark = /handwired-(sandbox=)?[\w-]*[0-9a-f]{8}\b|\bhw-[0-9a-f]{10}\b|HANDWIRED_(RUN|ENGINE)=/;

/** Sections in which all that a lab makes carries a mark: what has none is nobody's lab. */
const alwaysMarked = ['processes', 'control groups', 'libvirt objects'];

/**
 * What any command of ours, or of others who work with Node, Go or Debian, leaves in a shared temporary folder. This
 * run's are in its own.
 */
const anyonesTemporary = /^\/(var\/)?tmp\/(handwired|tsx-|node-compile-cache|mmdebstrap|go-build)/;

/** Chains that the system's libvirt keeps once it has had a network of anybody. */
const libvirtsOwn = /\bLIBVIRT_(INP|OUT|FWI|FWO|FWX|PRT)\b/;

/**
 * Whether a line of a snapshot's section is of this run. It is when it carries a mark of this run, or none and no other
 * lab could have made it. With HANDWIRED_ALONE=1, where nobody else works on the machine, every line is.
 */
export function isOwn(section: string, line: string, marks: Marks): boolean {
  if (process.env.HANDWIRED_ALONE === '1') return true;
  const { run, temporary, instances, hypervisors } = marks;
  const words = [run, temporary, ...instances, ...hypervisors, ...[...instances].map(readBridge)];
  if (words.some((word) => line.includes(word))) return true;
  if (section === 'state') return isOwnState(line, marks);
  return !(
    anyMark.test(line) ||
    alwaysMarked.includes(section) ||
    (section === 'temporary files' && anyonesTemporary.test(line)) ||
    (section === 'mounts' && line.startsWith(`${cacheDir()}/`)) ||
    (/tables/.test(section) && libvirtsOwn.test(line))
  );
}

/** A path in this process's state folder: of a lab by its name, of the hypervisor that the folder's labs share. */
function isOwnState(path: string, { names, hypervisors }: Marks): boolean {
  const [kind = '', name = '', user = ''] = relative(stateDir(), path).split('/');
  if (kind === 'labs' && name !== '') return names.has(name);
  if (kind === 'progress' && name !== '') return names.has(name.replace(/\.jsonl.*/, ''));
  if (kind === 'hypervisor' && name === 'users' && user !== '') return names.has(user);
  return kind === 'hypervisor' ? hypervisors.size > 0 : true;
}

/** The bridge of a VM lab's management network: makeNames of infra/drivers/vm/record.ts. */
const readBridge = (instance: string): string =>
  `hw-${createHash('sha256').update(instance).digest('hex').slice(0, 10)}`;
