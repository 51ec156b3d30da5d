/** The life of a lab: made, mended, reset, destroyed. docs/lab-host.md has the table of its phases. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import {
  baselineFile,
  Conditions,
  defaultPlan,
  EXIT,
  type Endpoint,
  faultFile,
  findSpec,
  forgetLab,
  labDir,
  hasFolder,
  LabError,
  loadEndpoint,
  openSeat,
  findSshTrouble,
  findWayToWrite,
  quote,
  recordFile,
  saveEndpoint,
  saveSpec,
  stateDir,
  type LabSpec,
  type OpenSeat,
  type Plan,
  readMessage,
} from '@handwired/host';
import { chooseDriver, drivers, type Driver, findOrphans, findRemains, type Remains } from '@handwired/infra';
import type { Context, UpOptions } from '../command.ts';

/** What `bringUp` did: nothing, as the lab was up; made a new lab; or repaired and went on with what was there. */
export interface UpResult {
  spec: LabSpec;
  did: 'was-up' | 'made' | 'mended';
}

/** What a fleet decides for its labs: a plan for each, and one driver for all. */
interface Given {
  plan?: Plan;
  driver?: Driver;
}

/** Brings a lab up from whatever state it is in. The caller holds its lock. Throws LabError (78) for flags that it was not made with. */
export async function bringUp(
  name: string,
  wanted: UpOptions,
  context: Context,
  { plan = defaultPlan, driver }: Given = {},
): Promise<UpResult> {
  const found = await findLab(name, wanted, plan, context);
  if (!found) {
    await refuseOrphan(name, context);
    const fresh = createSpec(name, wanted, plan, driver ?? (await pickDriver(wanted, context)));
    // Before the spec is kept: what can't be had leaves nothing that refuses the next try.
    await drivers[fresh.driver].requireMachine(fresh, context);
    return { spec: await makeNewLab(fresh, context), did: 'made' };
  }
  if (found.phase === 'ready' && (await isAlive(found, context.signal))) return { spec: found, did: 'was-up' };
  return { spec: await mendLab(found, context), did: 'mended' };
}

/** Resets a lab to what `lab up` gave, with a new baseline. The caller holds its lock. */
export async function resetLab(spec: LabSpec, context: Context): Promise<LabSpec> {
  // This is written first, so that a reset that is cut off is done again.
  const resetting: LabSpec = { ...spec, phase: 'resetting' };
  await saveSpec(resetting);
  const endpoint = await drivers[spec.driver].reset(resetting, context);
  await saveEndpoint(endpoint);
  await takeBaseline(resetting, endpoint, context);
  return markReady(resetting);
}

/**
 * Removes everything of a lab, also of one that is half made. Returns a line for each thing that was removed, none when
 * there was nothing. The caller holds its lock.
 */
export async function destroyLab(name: string, context: Context): Promise<string[]> {
  if (!(await hasFolder(name))) return [];
  const spec = await readSpec(name, context);
  // The marks of things tell what was made, too: also when the spec is damaged, or names another instance.
  const remains = (await findRemains(context.signal)).filter((each) => isOwn(each, name));
  const others = remains.filter(({ instance }) => instance !== spec?.instance);
  const removed = [...(await removeRemains(others, context)), ...(spec ? await removeLab(spec, context) : [])];
  await removeFolder(name);
  return [...removed, `state folder ${labDir(name)}${spec || removed.length > 0 ? '' : ' (it held no lab)'}`];
}

/** Whether things were made for a lab of this name of this state folder. */
const isOwn = ({ lab, state }: Remains, name: string): boolean => lab === name && state === stateDir();

/** Removes what carries the marks of lost labs. Returns a line for each thing. */
export async function removeRemains(remains: readonly Remains[], context: Context): Promise<string[]> {
  const removed: string[] = [];
  for (const each of remains) removed.push(...(await each.remove(context)));
  return removed;
}

/** A lab of this name that runs without its state folder is in the way of a new one. */
async function refuseOrphan(name: string, { signal }: Context): Promise<void> {
  const orphan = (await findOrphans(signal)).find((each) => isOwn(each, name));
  if (!orphan) return;
  throw new LabError({
    what: `an earlier lab ${name} has lost its state folder, and this is left of it: ${(await orphan.list(signal)).join(', ')}`,
    where: labDir(name),
    next: `lab destroy ${name}   (then this command again)`,
    exit: EXIT.config,
  });
}

async function removeLab(spec: LabSpec, context: Context): Promise<string[]> {
  // This is written first, so that no command uses the lab from here on. A disk that is full stops no removal.
  if (spec.phase !== 'destroying') {
    await saveSpec({ ...spec, phase: 'destroying' }).catch((error: unknown) => {
      context.progress.note(`the removal goes on although this failed: ${readMessage(error)}`);
    });
  }
  return drivers[spec.driver].destroy({ ...spec, phase: 'destroying' }, context);
}

/** The last step of a removal. */
async function removeFolder(name: string): Promise<void> {
  try {
    await forgetLab(name);
  } catch (error) {
    throw new LabError({
      what: `the lab host of ${name} is gone, its folder can't be removed: ${readMessage(error)}`,
      where: labDir(name),
      next: findWayToWrite(labDir(name), error),
      cause: error,
    });
  }
}

/** The driver for a new lab; one line tells which was taken and why. */
export async function pickDriver({ driver, uri }: UpOptions, context: Context): Promise<Driver> {
  if (uri !== undefined && driver === 'sandbox') {
    const what = '--uri is for the driver vm, and the driver is to be sandbox (by --driver or LAB_DRIVER)';
    throw new LabError({ what, next: `lab up --driver vm --uri ${quote(uri)}`, exit: EXIT.usage });
  }
  const chosen = await chooseDriver(uri === undefined ? (driver ?? 'auto') : 'vm', context);
  context.progress.note(`driver ${chosen.driver.name}: ${chosen.why}`);
  return chosen.driver;
}

/**
 * The lab's spec; undefined when there is no lab. A removal that was cut off is finished first. So is one of a lab that
 * was never finished and that other flags are wanted for: nobody has worked on it. LabError (78): other flags than
 * those of a lab that was finished.
 */
async function findLab(name: string, wanted: UpOptions, plan: Plan, context: Context): Promise<LabSpec | undefined> {
  const spec = await findSpec(name);
  if (!spec) return undefined;
  const differences = findOtherFlags(spec, wanted, plan);
  if (spec.phase === 'destroying') context.progress.note(`the removal of ${name} was cut off: finishing it first`);
  else if (differences === '') return spec;
  else if (spec.phase === 'creating') context.progress.note(`removing a half made ${name}: ${differences}`);
  else throw refuseOtherFlags(spec, differences);
  await drivers[spec.driver].destroy(spec, context);
  await forgetLab(name);
  return undefined;
}

function createSpec(name: string, wanted: UpOptions, plan: Plan, driver: Driver): LabSpec {
  return {
    schemaVersion: 1,
    name,
    driver: driver.name,
    conditions: Conditions.parse(wanted.condition ?? {}),
    plan,
    cpus: wanted.cpus ?? 1,
    memoryMiB: wanted.memory ?? 512,
    ...(wanted.uri === undefined ? {} : { uri: wanted.uri }),
    instance: randomBytes(8).toString('hex'),
    owner: `${userInfo().username}@${hostname()}`,
    createdAt: new Date().toISOString(),
    phase: 'creating',
  };
}

/** Makes a lab that is new. When that fails before any of it exists, nothing is kept of it. */
async function makeNewLab(spec: LabSpec, context: Context): Promise<LabSpec> {
  try {
    return await makeLab(spec, context);
  } catch (error) {
    if (!context.signal.aborted) await forgetNothing(spec, context).catch(() => undefined);
    throw error;
  }
}

/** Forgets a lab of which nothing was made. */
async function forgetNothing(spec: LabSpec, context: Context): Promise<void> {
  const { state, nothingLeft } = await drivers[spec.driver].status(spec, context.signal);
  if (state !== 'absent' && nothingLeft !== true) return;
  await drivers[spec.driver].destroy(spec, context);
  await forgetLab(spec.name);
}

/** Makes a lab. The spec is on disk before the first object is made, so `lab destroy` always knows what to look for. */
async function makeLab(spec: LabSpec, context: Context): Promise<LabSpec> {
  await saveSpec(spec);
  const baseline = { taken: false };
  const whenReady = async (seat: OpenSeat): Promise<void> => {
    await observeBaseline(spec, seat, context);
    baseline.taken = true;
  };
  const endpoint = await drivers[spec.driver].up(spec, { ...context, whenReady });
  await saveEndpoint(endpoint);
  if (!baseline.taken) await takeBaseline(spec, endpoint, context);
  return markReady(spec);
}

/** Marks a lab as ready. This is the last step: a lab is ready only when its baseline is stored. */
async function markReady(spec: LabSpec): Promise<LabSpec> {
  const ready: LabSpec = { ...spec, phase: 'ready' };
  await saveSpec(ready);
  return ready;
}

/** Goes on with a lab that is half made, half reset, stopped, or gone because this machine restarted. */
async function mendLab(spec: LabSpec, context: Context): Promise<LabSpec> {
  if (spec.phase === 'resetting') return resetLab(spec, context);
  if (spec.phase === 'creating') return makeLab(spec, context);
  const driver = drivers[spec.driver];
  const { state, detail, nothingLeft } = await driver.status(spec, context.signal);
  context.progress.note(
    `the lab host of ${spec.name} is ${state === 'up' ? 'up but can not be reached' : state}: ${detail}`,
  );
  // Nothing is left of what the learner built: the new lab host needs a baseline of its own.
  if (state === 'absent' || nothingLeft) return makeLab({ ...spec, phase: 'creating' }, context);
  const endpoint = await driver.up(spec, context);
  await saveEndpoint(endpoint);
  const trouble = await findSshTrouble(endpoint, { timeoutMs: GREETING_MS, signal: context.signal });
  if (!trouble) return spec;
  const what = `the lab host of ${spec.name} runs, but no ssh server answers on it: ${trouble.what}`;
  throw new LabError({ what, where: detail, next: trouble.next ?? `lab reset ${spec.name}`, code: 'broken' });
}

/** How long a lab host that is up may take to greet before it counts as hanging. An emulated VM under load is slow. */
const GREETING_MS = 8_000;

/**
 * Whether an ssh server answers with its greeting at the lab host of a ready lab. A seat that has a
 * server of its own is asked: that runs already and answers in a third of the time. When the endpoint file is missing or damaged the
 * answer is no, and the driver writes the file again.
 */
async function isAlive(spec: LabSpec, signal: AbortSignal): Promise<boolean> {
  const endpoint = await loadEndpoint(spec.name).catch((error: unknown) => {
    if (error instanceof LabError) return undefined;
    throw error;
  });
  if (!endpoint) return false;
  const { dial, seat } = endpoint;
  const asked = { lab: spec.name, dial: 'dial' in seat ? seat.dial : dial };
  return (await findSshTrouble(asked, { timeoutMs: GREETING_MS, signal })) === undefined;
}

/**
 * Takes the baseline through an open seat, while nobody has touched the lab host yet. Forgets the record and the
 * fault of an earlier lab host.
 */
async function observeBaseline(spec: LabSpec, seat: OpenSeat, { progress, signal }: Context): Promise<void> {
  await progress.stage('baseline taken', async () => {
    // Imported only here, because most commands that bring a lab up or remove it take no baseline.
    const { observeFacts, saveFacts } = await import('@handwired/checker');
    await saveFacts(baselineFile(spec.name), await observeFacts(seat, { signal }));
    for (const file of [recordFile(spec.name), faultFile(spec.name)]) await rm(file, { force: true });
  });
}

async function takeBaseline(spec: LabSpec, endpoint: Endpoint, context: Context): Promise<void> {
  const seat = await openSeat(endpoint, { signal: context.signal });
  try {
    await observeBaseline(spec, seat, context);
  } finally {
    seat.close();
  }
}

/** The spec of a lab that is to be destroyed; undefined when it is damaged, or was cut off before anything was made. */
async function readSpec(name: string, { signal, progress }: Context): Promise<LabSpec | undefined> {
  try {
    return await findSpec(name);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof LabError)) throw error;
    progress.note(`what says how ${name} was made is damaged: what carries its mark is removed (${error.message})`);
    return undefined;
  }
}

/** The flags that a lab was not made with, in words; '' when there are none. */
function findOtherFlags(spec: LabSpec, wanted: UpOptions, plan: Plan): string {
  const differences = [
    describeDifference('--driver', spec.driver, wanted.driver === 'auto' ? undefined : wanted.driver),
    describeDifference('--uri', spec.uri, wanted.uri),
    describeDifference('--cpus', spec.cpus, wanted.cpus),
    describeDifference('--memory', spec.memoryMiB, wanted.memory),
    ...Object.entries(wanted.condition ?? {}).map(([key, value]) =>
      describeDifference(key, spec.conditions[key as keyof Conditions], value),
    ),
    describeDifference('subnet', spec.plan.subnet, plan === defaultPlan ? undefined : plan.subnet),
  ].filter((difference) => difference !== undefined);
  return differences.join('; ');
}

/** A lab keeps what it was made with. Other flags are an error, so that nobody believes they took effect. */
const refuseOtherFlags = ({ name, createdAt }: LabSpec, differences: string): LabError =>
  new LabError({
    what: `lab ${name} exists and was made with other flags: ${differences}`,
    where: `made ${createdAt}`,
    next: `lab destroy ${name}   (then this command again)`,
    exit: EXIT.config,
  });

type Flag = string | number | undefined;

function describeDifference(flag: string, has: Flag, wanted: Flag): string | undefined {
  if (wanted === undefined || has === wanted) return undefined;
  return `${flag} is ${has ?? 'not set'}, asked for ${wanted}`;
}
