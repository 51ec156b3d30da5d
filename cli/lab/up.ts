import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import {
  Conditions,
  defaultPlan,
  EXIT,
  findSpec,
  forgetLab,
  LabError,
  quote,
  saveEndpoint,
  saveSpec,
  type LabSpec,
  type OpenSeat,
  type Plan,
} from '@handwired/host';
import { chooseDriver, drivers, type Driver } from '@handwired/infra';
import type { Context } from '../context.ts';
import type { UpOptions } from '../options.ts';
import { observeBaseline, takeBaseline } from './baseline.ts';
import { isAlive } from './alive.ts';

/** `was-up`: nothing had to be done; `made`: new from its first object on; `mended`: gone on with what was there. */
export interface UpResult {
  spec: LabSpec;
  did: 'was-up' | 'made' | 'mended';
}

/** What a fleet settles for all its labs: each one's plan, and the driver that was chosen once. */
interface Given {
  plan?: Plan;
  driver?: Driver;
}

/** Brings a lab up from whatever state it is in. The caller holds its lock. */
export async function bringUp(
  name: string,
  wanted: UpOptions,
  context: Context,
  { plan = defaultPlan, driver }: Given = {},
): Promise<UpResult> {
  const found = await leftOver(name, context);
  if (!found)
    return {
      spec: await make(newSpec(name, wanted, plan, driver ?? (await choose(wanted, context))), context),
      did: 'made',
    };
  refuseOtherFlags(found, wanted, plan);
  if (found.phase === 'ready' && (await isAlive(found, context.signal))) return { spec: found, did: 'was-up' };
  return { spec: await mend(found, context), did: 'mended' };
}

/** The lab's spec, unless there is none or its removal had begun: then the removal is finished first. */
async function leftOver(name: string, context: Context): Promise<LabSpec | undefined> {
  const spec = await findSpec(name);
  if (spec?.phase !== 'destroying') return spec;
  context.progress.note(`the removal of ${name} was cut off: finishing it first`);
  await drivers[spec.driver].destroy(spec, context);
  await forgetLab(name);
  return undefined;
}

/** The driver for a new lab, with one line about what was taken and why. */
export async function choose({ driver, uri }: UpOptions, context: Context): Promise<Driver> {
  if (uri !== undefined && driver === 'sandbox') {
    const what = '--uri is for the driver vm, and the driver is to be sandbox (by --driver or LAB_DRIVER)';
    throw new LabError({ what, next: `lab up --driver vm --uri ${quote(uri)}`, exit: EXIT.usage });
  }
  const chosen = await chooseDriver(uri === undefined ? (driver ?? 'auto') : 'vm', context);
  context.progress.note(`driver ${chosen.driver.name}: ${chosen.why}`);
  return chosen.driver;
}

function newSpec(name: string, wanted: UpOptions, plan: Plan, driver: Driver): LabSpec {
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

/** The spec is on disk before the first object is made: whatever happens then, `lab destroy` knows what to look for. */
async function make(spec: LabSpec, context: Context): Promise<LabSpec> {
  await saveSpec(spec);
  const baseline = { taken: false };
  const whenReady = async (seat: OpenSeat): Promise<void> => {
    await observeBaseline(spec, seat, context);
    baseline.taken = true;
  };
  const endpoint = await drivers[spec.driver].up(spec, { ...context, whenReady });
  await saveEndpoint(endpoint);
  if (!baseline.taken) await takeBaseline(spec, endpoint, context);
  return nowReady(spec);
}

/** The phase is written last: a lab is ready only if its baseline is stored. */
async function nowReady(spec: LabSpec): Promise<LabSpec> {
  const ready: LabSpec = { ...spec, phase: 'ready' };
  await saveSpec(ready);
  return ready;
}

/** Goes on with a lab that is half made, cut off in a reset, stopped, or gone with a restart of this machine. */
async function mend(spec: LabSpec, context: Context): Promise<LabSpec> {
  if (spec.phase === 'resetting') return toBaseline(spec, context);
  const driver = drivers[spec.driver];
  if (spec.phase === 'creating') return make(spec, context);
  const { state, detail, nothingLeft } = await driver.status(spec, context.signal);
  context.progress.note(
    `the lab host of ${spec.name} is ${state === 'up' ? 'up but can not be reached' : state}: ${detail}`,
  );
  // Nothing is left of what the learner built: the new lab host needs a baseline of its own.
  if (state === 'absent' || nothingLeft) return make({ ...spec, phase: 'creating' }, context);
  await saveEndpoint(await driver.up(spec, context));
  return spec;
}

/** Back to what `up` gave, with a new baseline. `resetting` on disk: a reset that was cut off is done again. */
export async function toBaseline(spec: LabSpec, context: Context): Promise<LabSpec> {
  const resetting: LabSpec = { ...spec, phase: 'resetting' };
  await saveSpec(resetting);
  const endpoint = await drivers[spec.driver].reset(resetting, context);
  await saveEndpoint(endpoint);
  await takeBaseline(resetting, endpoint, context);
  return nowReady(resetting);
}

/** A lab keeps what it was made with: other flags are an error, not silently ignored. */
function refuseOtherFlags(spec: LabSpec, wanted: UpOptions, plan: Plan): void {
  const differences = [
    differs('--driver', spec.driver, wanted.driver === 'auto' ? undefined : wanted.driver),
    differs('--uri', spec.uri, wanted.uri),
    differs('--cpus', spec.cpus, wanted.cpus),
    differs('--memory', spec.memoryMiB, wanted.memory),
    ...Object.entries(wanted.condition ?? {}).map(([key, value]) =>
      differs(key, spec.conditions[key as keyof Conditions], value),
    ),
    differs('subnet', spec.plan.subnet, plan === defaultPlan ? undefined : plan.subnet),
  ].filter((difference) => difference !== undefined);
  if (differences.length === 0) return;
  throw new LabError({
    what: `lab ${spec.name} exists and was made with other flags: ${differences.join('; ')}`,
    where: `made ${spec.createdAt}`,
    next: `lab destroy ${spec.name}   (then this command again)`,
    exit: EXIT.config,
  });
}

type Flag = string | number | undefined;

function differs(flag: string, has: Flag, wanted: Flag): string | undefined {
  if (wanted === undefined || has === wanted) return undefined;
  return `${flag} is ${has ?? 'not set'}, asked for ${wanted}`;
}
