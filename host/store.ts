import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { Endpoint } from './endpoint.ts';
import { EXIT, LabError, messageOf } from './errors.ts';
import { makeFolder } from './folder.ts';
import { LabSpec } from './lab.ts';
import { labDir, labsDir, stateDir } from './paths.ts';

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Writes a whole file or nothing of it: a temporary neighbour, fsync, rename. Mode 0600, its folder 0700. */
export async function writeAtomic(path: string, content: string | Uint8Array): Promise<void> {
  try {
    makeFolder(dirname(path), 0o700);
    const partial = `${path}.${randomBytes(4).toString('hex')}.tmp`;
    const file = await open(partial, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
      await rename(partial, path);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new LabError({
      what: `cannot write: ${messageOf(error)}`,
      where: path,
      next: codeOf(error) === 'ENOSPC' ? 'lab image prune' : 'export XDG_STATE_HOME=A_FOLDER_YOU_CAN_WRITE',
      cause: error,
    });
  }
}

/** Reads and checks a JSON file. Absent: undefined. Not what it should be: LabError with the file's name. */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw new LabError({ what: `cannot read: ${messageOf(error)}`, where: path, next: 'lab doctor', cause: error });
  }
  const parsed = schema.safeParse(parse(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const at = issue?.path.join('.') ?? '';
  const why = at === '' ? 'not what it should be' : `${at}: ${messageOf(issue?.message)}`;
  const lab = basename(dirname(path));
  const next = mends[basename(path)]?.(lab, path) ?? `lab destroy ${lab}`;
  throw new LabError({ what: `a damaged file: ${why}`, where: path, next });
}

/** What mends a damaged file of a lab at the least cost to the learner; where nothing does, the lab has to go. */
const mends: Record<string, (lab: string, path: string) => string> = {
  'endpoint.json': (lab) => `lab up ${lab}`,
  'baseline.json': (lab) => `lab reset ${lab}`,
  'record.json': (_lab, path) => `rm ${path}   (what stands on the lab host is seen anew)`,
  'fault.json': (lab) => `lab reset ${lab}   (takes the fault out with everything else)`,
};

/** undefined, which no schema takes, for what is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Names of the files in a lab's state folder; drivers keep more there, in folders of their own. */
const specFile = (name: string): string => join(labDir(name), 'lab.json');
/** The spec once more: it alone names what was made, and without it nothing of that could be removed. */
const spareFile = (name: string): string => join(labDir(name), 'lab.spare.json');
const endpointFile = (name: string): string => join(labDir(name), 'endpoint.json');
/** Facts taken when the lab host was ready; written and read by the checker's functions. */
export const baselineFile = (name: string): string => join(labDir(name), 'baseline.json');
/** What this learner has been seen to begin: see checker. */
export const recordFile = (name: string): string => join(labDir(name), 'record.json');

/** The fault that is in place and not found yet: see cli/lab/fault.ts. */
export const faultFile = (name: string): string => join(labDir(name), 'fault.json');

/** Writes a lab's spec, its spare first. */
export async function saveSpec(spec: LabSpec): Promise<void> {
  for (const file of [spareFile(spec.name), specFile(spec.name)]) await writeAtomic(file, json(spec));
}

export const saveEndpoint = (endpoint: Endpoint): Promise<void> =>
  writeAtomic(endpointFile(endpoint.lab), json(endpoint));

/** A lab's spec, if need be from its spare; undefined where nothing was made yet. LabError: both are damaged or gone. */
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

/** Whether a lab's folder holds nothing, or only what a first write that was cut off left. */
async function isBare(name: string): Promise<boolean> {
  const entries = await readdir(labDir(name)).catch(() => []);
  return entries.every((entry) => entry.endsWith('.tmp'));
}

/** The lab's spec, or the error that says how to make one. */
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

/** How to reach the lab host, or the error that says how to get it up. */
export async function loadEndpoint(name: string): Promise<Endpoint> {
  const spec = await loadSpec(name);
  const endpoint = await readJson(endpointFile(name), Endpoint);
  if (endpoint && spec.phase === 'ready') return endpoint;
  const why = spec.phase === 'ready' ? 'the file that says how to reach it is gone' : `it is ${spec.phase}`;
  throw new LabError({
    what: `lab ${name} is not ready (${why})`,
    where: labDir(name),
    next: `lab up ${name}`,
  });
}

/** Names of all labs that have a state folder, sorted, broken ones too. */
export async function listLabs(): Promise<string[]> {
  try {
    return (await readdir(labsDir())).sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw new LabError({
      what: `cannot list labs: ${messageOf(error)}`,
      where: labsDir(),
      next: 'lab doctor',
      cause: error,
    });
  }
}

/** Removes a lab's state folder, and our parent folders when they have become empty. */
export async function forgetLab(name: string): Promise<void> {
  await rm(labDir(name), { recursive: true, force: true });
  for (const folder of [labsDir(), stateDir()]) await rmdir(folder).catch(() => undefined);
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
