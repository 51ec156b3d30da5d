import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import {
  Conditions,
  connect,
  type Endpoint,
  type LabSpec,
  type OpenSeat,
  openSeat,
  type Plan,
  type Session,
  silent,
} from '@handwired/host';
import { sandbox } from '../../infra/drivers/sandbox/index.ts';

export interface LabHost {
  spec: LabSpec;
  endpoint: Endpoint;
  session: Session;
  seat: OpenSeat;
  plan: Plan;
  conditions: Conditions;
  /** Runs a shell command; its stdout. Throws with its stderr when it fails. */
  readonly sh: (command: string) => Promise<string>;
}

/** How many lab hosts are there now: the state folder is the process's, so those at one time share one. */
const state: { users: number; folder?: Promise<string>; before?: string | undefined } = { users: 0 };

/** A state folder of a test's own, until what it returns is called by all who share it. */
async function ownState(): Promise<() => Promise<void>> {
  if (state.users === 0) {
    state.before = process.env.XDG_STATE_HOME;
    state.folder = mkdtemp(join(tmpdir(), 'handwired-test-'));
  }
  state.users += 1;
  const folder = (process.env.XDG_STATE_HOME = (await state.folder) ?? '');
  return async () => {
    state.users -= 1;
    if (state.users > 0) return;
    if (state.before === undefined) delete process.env.XDG_STATE_HOME;
    else process.env.XDG_STATE_HOME = state.before;
    await rm(folder, { recursive: true, force: true });
  };
}

/** Makes a sandbox with its own state folder for one test, and removes both afterwards, whatever happened. */
export async function withLabHost(
  plan: Plan,
  conditions: Partial<Conditions>,
  test: (host: LabHost) => Promise<void>,
): Promise<void> {
  const instance = randomBytes(4).toString('hex');
  const end = await ownState();
  const spec: LabSpec = {
    schemaVersion: 1,
    name: `test-${instance}`,
    driver: 'sandbox',
    conditions: Conditions.parse(conditions),
    plan,
    cpus: 1,
    memoryMiB: 512,
    instance,
    owner: userInfo().username,
    createdAt: new Date().toISOString(),
    phase: 'creating',
  };
  const work = { progress: silent, signal: new AbortController().signal };
  try {
    const endpoint = await sandbox.up(spec, work);
    const session = await connect(endpoint);
    const sh = async (command: string): Promise<string> => {
      const { code, stdout, stderr } = await session.exec(command);
      if (code !== 0) throw new Error(`${command}: exit ${code}: ${stderr}`);
      return stdout;
    };
    const seat = await openSeat(endpoint);
    await test({ spec, endpoint, session, seat, plan, conditions: spec.conditions, sh });
    seat.close();
    session.close();
  } finally {
    await sandbox.destroy(spec, work);
    await end();
  }
}
