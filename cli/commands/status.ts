import {
  EXIT,
  findDamage,
  findSpec,
  findSshTrouble,
  listLabs,
  loadEndpoint,
  loadSpec,
  readMessage,
  type LabSpec,
} from '@handwired/host';
import { describeOrphans, drivers, findRemains, type OrphanReport } from '@handwired/infra';
import { type Context, type LabCommand, createNameArgument, createOutputOption } from '../command.ts';
import { formatAge, renderTable } from '../text.ts';

/** `lab status`: lists the named lab, or every lab, and what is left of lost ones. */
export const command: LabCommand = {
  example: 'lab status\n  lab status -o json',
  declare: (command) => command.addArgument(createNameArgument()).addOption(createOutputOption('table', 'json')),
  run: runStatus,
};

/** One lab as `lab status -o json` shows it. null: not known. */
export interface LabStatus {
  name: string;
  driver: LabSpec['driver'] | null;
  /** `up`, `stopped`, `absent`, `broken`; `creating`, `resetting`, `destroying` when that was cut off; `damaged`: a file. */
  state: string;
  detail: string;
  createdAt: string | null;
  ageSeconds: number | null;
  memoryMiB: number | null;
  diskMiB: number | null;
  conditions: LabSpec['conditions'] | null;
  next: string;
}

/** How long a driver may take to answer. */
const STATUS_MS = 5_000;

async function runStatus(
  context: Context,
  name: string | undefined,
  { output }: { output: 'table' | 'json' },
): Promise<number> {
  if (name !== undefined) await loadSpec(name);
  const names = name === undefined ? await listLabs() : [name];
  const [labs, orphans] = await Promise.all([
    Promise.all(names.map((lab) => readStatus(lab, context.signal))),
    name === undefined ? readOrphans(context) : [],
  ]);
  if (output === 'json') context.print(JSON.stringify({ schemaVersion: 1, labs, orphans }, null, 2));
  else {
    context.print(labs.length === 0 ? 'there is no lab\nnext: lab up' : renderLabs(labs));
    if (orphans.length > 0) context.print(renderOrphans(orphans));
    if (labs.length === 0) await printOthers(context);
  }
  return EXIT.ok;
}

/** Where this user has no lab, those of other users are named: `sudo lab up` makes them. */
async function printOthers(context: Context): Promise<void> {
  if (process.getuid?.() === 0) return;
  const others = (await findRemains(context.signal)).filter(({ user }) => user !== undefined);
  if (others.length === 0) return;
  context.print(`labs of other users: ${others.map(({ lab, user }) => `${lab} (${user})`).join(', ')}`);
  context.print('next: sudo "$(command -v lab)" status');
}

/** How long to look for lost labs. Where VMs run, this asks libvirt several times, and a busy machine is slow. */
const ORPHANS_MS = 20_000;

/** What is left of lost labs; when that can't be found out in time, a line says so. */
async function readOrphans({ signal, progress }: Context): Promise<OrphanReport[]> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(ORPHANS_MS)]);
  return describeOrphans(limited).catch((error: unknown) => {
    signal.throwIfAborted();
    progress.note(`what is left of lost labs is not shown: ${readMessage(error)}`);
    return [];
  });
}

/** What one lab is like now. Throws for an aborted signal only, never for a lab that is broken. */
export async function readStatus(name: string, signal: AbortSignal): Promise<LabStatus> {
  try {
    const spec = await findSpec(name);
    if (!spec) return createUnknown(name, 'broken', 'cut off before anything was made', `lab destroy ${name}`);
    return await askDriver(spec, signal);
  } catch (error) {
    signal.throwIfAborted();
    return createUnknown(name, 'damaged', readMessage(error), `lab destroy ${name}`);
  }
}

async function askDriver(spec: LabSpec, signal: AbortSignal): Promise<LabStatus> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(STATUS_MS)]);
  const { memoryMiB, diskMiB, ...found } = await drivers[spec.driver].status(spec, limited).catch((error: unknown) => {
    signal.throwIfAborted();
    return { state: 'broken', detail: readMessage(error), memoryMiB: undefined, diskMiB: undefined };
  });
  const ready = spec.phase === 'ready' && found.state === 'up';
  const { state, detail, next } = (ready ? await findTrouble(spec, signal) : undefined) ?? {
    ...found,
    next: findNext(spec, found.state),
  };
  return {
    name: spec.name,
    driver: spec.driver,
    state: spec.phase === 'ready' ? state : spec.phase,
    detail,
    createdAt: spec.createdAt,
    ageSeconds: Math.max(0, Math.round((Date.now() - Date.parse(spec.createdAt)) / 1000)),
    memoryMiB: memoryMiB ?? null,
    diskMiB: diskMiB ?? null,
    conditions: spec.conditions,
    next,
  };
}

/** How long an ssh server may take to greet before it counts as slow, which is no trouble of the lab's. */
const GREETING_MS = 4_000;

/** Why nobody can log in to a lab host that runs, or which file of the lab is damaged; undefined when all is well. */
async function findTrouble(
  spec: LabSpec,
  signal: AbortSignal,
): Promise<Pick<LabStatus, 'state' | 'detail' | 'next'> | undefined> {
  const damage = await findDamage(spec);
  if (damage)
    return { state: 'damaged', detail: `${damage.message} (${damage.where ?? spec.name})`, next: damage.next };
  const trouble = await findSshTrouble(await loadEndpoint(spec.name), { timeoutMs: GREETING_MS, signal });
  if (!trouble || trouble.late) return undefined;
  return {
    state: 'broken',
    detail: `no ssh server answers: ${trouble.what}`,
    next: trouble.next ?? `lab up ${spec.name}`,
  };
}

function findNext({ name, phase }: LabSpec, state: string): string {
  if (phase === 'destroying') return `lab destroy ${name}`;
  return phase === 'ready' && state === 'up' ? `lab ssh ${name}` : `lab up ${name}`;
}

function createUnknown(name: string, state: string, detail: string, next: string): LabStatus {
  return {
    name,
    driver: null,
    state,
    detail,
    createdAt: null,
    ageSeconds: null,
    memoryMiB: null,
    diskMiB: null,
    conditions: null,
    next,
  };
}

function renderLabs(labs: LabStatus[]): string {
  const rows = labs.map((lab) => [
    lab.name,
    lab.driver ?? '?',
    lab.state,
    formatAge(lab.ageSeconds),
    formatMiB(lab.memoryMiB),
    formatMiB(lab.diskMiB),
    lab.next,
    lab.detail,
  ]);
  return renderTable(['name', 'driver', 'state', 'age', 'memory', 'disk', 'next', 'detail'], rows);
}

function renderOrphans(orphans: OrphanReport[]): string {
  const rows = orphans.map(({ name, driver, next, detail }) => [name ?? '-', driver, next, detail]);
  return `\nleft of labs whose state is lost:\n${renderTable(['name', 'driver', 'next', 'detail'], rows)}`;
}

const formatMiB = (value: number | null): string => (value === null ? '-' : `${Math.round(value)} MiB`);
