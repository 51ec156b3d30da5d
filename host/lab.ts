import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { EXIT, LabError } from './errors.ts';
import {
  explainUnreadable,
  readErrno,
  labDir,
  labsDir,
  partialSuffix,
  readJson,
  stateDir,
  writeJson,
} from './files.ts';
import { Plan } from './plan.ts';

/** Settings of a lab host that are made before its baseline is taken. Right builds pass under all of them. */
export const Conditions = z.object({
  'forward-policy': z.enum(['accept', 'drop']).default('accept'),
  'bridge-nf': z.enum(['0', '1']).default('0'),
  resolver: z.enum(['stub', 'file']).default('stub'),
  'ip-forward': z.enum(['0', '1']).default('0'),
});
export type Conditions = z.infer<typeof Conditions>;

/** Every condition's key with the values it takes, the default first. */
export const conditionValues: Record<keyof Conditions, readonly string[]> = {
  'forward-policy': ['accept', 'drop'],
  'bridge-nf': ['0', '1'],
  resolver: ['stub', 'file'],
  'ip-forward': ['0', '1'],
};

/** RFC 1123 label: also the hostname of the lab host and part of every object's name. */
export const labNamePattern = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;

/** What a lab is made from, and its phase: `lab.json` in its state folder, written before anything is made. */
export const LabSpec = z.object({
  schemaVersion: z.literal(1),
  name: z.string().regex(labNamePattern),
  driver: z.enum(['vm', 'sandbox']),
  conditions: Conditions,
  plan: Plan,
  cpus: z.number().int().min(1),
  memoryMiB: z.number().int().min(128),
  /** libvirt URI given by the user; absent: the driver chooses. */
  uri: z.string().optional(),
  /** Random id in the name or description of every object of this lab. Objects without it are never touched. */
  instance: z.string(),
  /** `user@machine` of the user who made the lab. */
  owner: z.string(),
  /** ISO 8601. */
  createdAt: z.string(),
  /** `creating` and `resetting` last until the baseline is stored. `destroying` begins before the first removal. */
  phase: z.enum(['creating', 'ready', 'resetting', 'destroying']),
});
export type LabSpec = z.infer<typeof LabSpec>;

/** Name of the driver that makes and removes lab hosts. */
export type DriverName = LabSpec['driver'];

/** How to reach a lab host: a TCP address, or an argv whose stdio is the ssh transport (`nsenter ... sshd -i`). */
const Dial = z.union([
  z.strictObject({ address: z.string(), port: z.number().int().min(1).max(65535) }),
  z.strictObject({ command: z.array(z.string()).min(1) }),
]);

/** A process of the lab host, as its seat numbers processes. Its mount namespace is what the learner sees. */
const viewPid = z.number().int().min(1);

/**
 * The place from which the grader's programs see the lab host and where the learner can't reach them. `argv`: a prefix
 * that runs a command at the seat (in a sandbox's network namespace, entered from outside). `dial`: a second ssh
 * server, whose root is a read-only disk.
 */
const Seat = z.union([
  z.strictObject({ argv: z.array(z.string()).min(1), viewPid }),
  z.strictObject({ dial: Dial, viewPid }),
]);

/** How other packages reach a lab host. infra makes it; it is stored as `endpoint.json` in the lab's state folder. */
export const Endpoint = z.object({
  lab: z.string(),
  driver: z.enum(['vm', 'sandbox']),
  dial: Dial,
  user: z.string(),
  /** Path of the ed25519 private key, mode 0600. */
  privateKeyFile: z.string(),
  /** The lab host's public key, `ssh-ed25519 AAAA...`, made before boot. Any other key is refused. */
  hostKey: z.string(),
  seat: Seat,
});
export type Endpoint = z.infer<typeof Endpoint>;
/** What a login needs: an endpoint without its seat. */
export type SshTarget = Omit<Endpoint, 'seat'>;

/** How to reach an ssh server of a lab host. */
export type Dial = z.infer<typeof Dial>;

// The files in a lab's state folder. Drivers keep more there, in folders of their own.

const specFile = (name: string): string => join(labDir(name), 'lab.json');
/** A copy of the spec. Only the spec names what was made, so without it nothing could be removed. */
const spareFile = (name: string): string => join(labDir(name), 'lab.spare.json');
const endpointFile = (name: string): string => join(labDir(name), 'endpoint.json');
/** Facts observed when the lab host was ready. The checker writes and reads them. */
export const baselineFile = (name: string): string => join(labDir(name), 'baseline.json');
/** Which chapters this learner has been seen to begin: checker/record.ts. */
export const recordFile = (name: string): string => join(labDir(name), 'record.json');
/** The fault that was injected and is not found yet: cli/lab/fault.ts. */
export const faultFile = (name: string): string => join(labDir(name), 'fault.json');

/** Writes a lab's spec, its spare first. */
export async function saveSpec(spec: LabSpec): Promise<void> {
  for (const file of [spareFile(spec.name), specFile(spec.name)]) await writeJson(file, spec);
}

/** Stores how to reach a lab host. LabError: the file can't be written. */
export const saveEndpoint = (endpoint: Endpoint): Promise<void> => writeJson(endpointFile(endpoint.lab), endpoint);

/** A lab's spec, or its copy when the spec is damaged. Undefined when no lab was made. LabError: both are unusable. */
export async function findSpec(name: string): Promise<LabSpec | undefined> {
  // A folder that was copied under another name must not lead to the first one's lab host.
  const shape = LabSpec.extend({ name: z.literal(name) });
  const spare = (): Promise<LabSpec | undefined> => readJson(spareFile(name), shape).catch(() => undefined);
  try {
    const spec = (await readJson(specFile(name), shape)) ?? (await spare());
    if (spec || (await isBare(name))) return spec;
  } catch (error) {
    const spec = await spare();
    if (spec) return spec;
    throw error;
  }
  throw new LabError({
    what: 'a damaged lab: its spec is gone, what was made from it is not',
    where: specFile(name),
    next: `lab destroy ${name}`,
  });
}

/** Whether a lab's folder is empty or holds only the temporary files of an interrupted first write. */
async function isBare(name: string): Promise<boolean> {
  const entries = await readdir(labDir(name)).catch(() => []);
  return entries.every((entry) => entry.endsWith(partialSuffix));
}

/** The lab's spec. LabError with EXIT.config and the command that makes the lab when there is none. */
export async function loadSpec(name: string): Promise<LabSpec> {
  const spec = await findSpec(name);
  if (spec) return spec;
  throw new LabError({
    what: `there is no lab named ${name}`,
    where: labsDir(),
    next: `lab up ${name}`,
    exit: EXIT.config,
  });
}

/** How to reach the lab host. LabError with the command that starts it when it is not ready. */
export async function loadEndpoint(name: string): Promise<Endpoint> {
  const spec = await loadSpec(name);
  const endpoint = await readJson(endpointFile(name), Endpoint);
  const isMoved = endpoint && !endpoint.privateKeyFile.startsWith(`${labDir(name)}/`);
  if (endpoint && !isMoved && spec.phase === 'ready') return endpoint;
  if (isMoved && spec.phase === 'ready')
    throw new LabError({
      what: `lab ${name} was moved here from another state folder`,
      where: endpoint.privateKeyFile,
      next: `lab up ${name}`,
    });
  const why = spec.phase === 'ready' ? 'the file that says how to reach it is gone' : `it is ${spec.phase}`;
  throw new LabError({
    what: `lab ${name} is not ready (${why})`,
    where: labDir(name),
    next: `lab up ${name}`,
  });
}

/** What is wrong with the files of a ready lab, with the command that replaces them; undefined when nothing is. */
export async function findDamage({ name, phase }: LabSpec): Promise<LabError | undefined> {
  if (phase !== 'ready') return undefined;
  try {
    await loadEndpoint(name);
    if (await readJson(baselineFile(name), z.looseObject({}))) return undefined;
    const what = 'the file that says how the lab host was at first is gone';
    return new LabError({ what, where: baselineFile(name), next: `lab reset ${name}` });
  } catch (error) {
    if (error instanceof LabError) return error;
    throw error;
  }
}

/** Names of all labs that have a state folder, sorted, broken ones too. */
export async function listLabs(): Promise<string[]> {
  try {
    return (await readdir(labsDir())).sort();
  } catch (error) {
    if (readErrno(error) === 'ENOENT') return [];
    throw explainUnreadable(labsDir(), error, 'status');
  }
}

/** Whether anything is kept of a lab with this name, damaged or not. LabError: we may not look. */
export async function hasFolder(name: string): Promise<boolean> {
  try {
    await stat(labDir(name));
    return true;
  } catch (error) {
    if (readErrno(error) === 'ENOENT') return false;
    throw explainUnreadable(labDir(name), error, `destroy ${name}`);
  }
}

/** Removes a lab's state folder, and our parent folders when they have become empty. */
export async function forgetLab(name: string): Promise<void> {
  await rm(labDir(name), { recursive: true, force: true });
  for (const folder of [labsDir(), stateDir()]) await rmdir(folder).catch(() => undefined);
}
