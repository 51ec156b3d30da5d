import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LabError, type LabSpec } from '@handwired/host';
import { LocalWorkspace, PulumiCommand, type PulumiFn, type Stack } from '@pulumi/pulumi/automation/index.js';
import { makeHome, type Toolchain } from '../../toolchain/index.ts';
import { renderOwner } from '../shared/owner.ts';
import { engineMark, listFiles } from './record.ts';

/** The Pulumi engine on one lab's stack. Only this file knows the Automation API. */
export interface Engine {
  up(program: PulumiFn, note: (text: string) => void, signal: AbortSignal): Promise<void>;
  destroy(note: (text: string) => void, signal: AbortSignal): Promise<void>;
}

const project = 'handwired';

/**
 * Opens the lab's stack, which has its own file backend, passphrase and working folder, or makes it. The caller holds
 * the lab's lock, so a lock file in the backend belongs to a dead process and is removed.
 */
export async function openEngine(spec: LabSpec, toolchain: Toolchain, passphrase: string): Promise<Engine> {
  const files = listFiles(spec.name);
  for (const folder of [files.backend, files.workDir, files.temporary]) await mkdir(folder, { recursive: true });
  await makeHome(files.home, toolchain.pulumiHome);
  await rm(join(files.backend, '.pulumi/locks'), { recursive: true, force: true });
  const workspace = {
    workDir: files.workDir,
    pulumiHome: files.home,
    pulumiCommand: await findCommand(toolchain.pulumiRoot, files.home),
    projectSettings: { name: project, runtime: 'nodejs' as const, backend: { url: `file://${files.backend}` } },
    envVars: {
      ...toolchain.env,
      PULUMI_CONFIG_PASSPHRASE: passphrase,
      PULUMI_BACKEND_URL: `file://${files.backend}`,
      TMPDIR: files.temporary,
      [engineMark]: spec.instance,
      ...(await renderOwner(spec.name)),
    },
  };
  const at = { stackName: spec.name, projectName: project };
  const inline = { ...at, program: () => Promise.resolve() };
  // A new lab has no stack. We look for it in the folder, because asking the engine would start it once more.
  const known = await readdir(join(files.backend, '.pulumi/stacks', project)).catch((): string[] => []);
  const stack = await (known.includes(`${spec.name}.json`)
    ? LocalWorkspace.selectStack(inline, workspace)
    : LocalWorkspace.createStack(inline, workspace));
  return { up: (...rest) => up(stack, ...rest), destroy: (...rest) => destroy(stack, ...rest) };
}

/**
 * Finds the CLI for the Automation API. The API asks the CLI for its version and always passes this process's
 * environment, so PULUMI_HOME is set here. The CLI starts before the first await, so labs that start side by side keep
 * their own homes.
 */
function findCommand(root: string, home: string): Promise<PulumiCommand> {
  process.env.PULUMI_HOME = home;
  return PulumiCommand.get({ root, skipVersionCheck: true });
}

async function up(stack: Stack, program: PulumiFn, note: (text: string) => void, signal: AbortSignal): Promise<void> {
  const onOutput = noteResources(note);
  await guarded(stack.name, signal, () =>
    stack.up({ program, onOutput, signal, color: 'never', suppressProgress: true, suppressOutputs: true }),
  );
}

async function destroy(stack: Stack, note: (text: string) => void, signal: AbortSignal): Promise<void> {
  await guarded(stack.name, signal, () =>
    stack.destroy({ onOutput: noteResources(note), signal, color: 'never', suppressProgress: true }),
  );
}

async function guarded(lab: string, signal: AbortSignal, call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    signal.throwIfAborted();
    throw new LabError({
      what: `the engine stopped: ${engineErrors(error instanceof Error ? error.message : String(error))}`,
      where: `Pulumi stack ${lab}`,
      next: `lab up ${lab} again, or lab destroy ${lab}`,
      cause: error,
    });
  }
}

/** ` +  libvirt:index/pool:Pool pool created (0.5s)` becomes `pool created`. */
function noteResources(note: (text: string) => void): (chunk: string) => void {
  return (chunk) => {
    for (const line of chunk.split('\n')) {
      const [, name, what] = /libvirt:\S+ (\S+) (\w+)/.exec(line) ?? [];
      if (name !== undefined && what !== undefined) note(`${name} ${what}`);
    }
  };
}

/** The engine's own error lines from its whole output, joined to one line of at most 1500 characters. */
export function engineErrors(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  const errors = lines.filter((line) => /^(\* |error: |.*: error: )/.test(line) && !/update failed$/.test(line));
  const chosen = errors.length > 0 ? errors : lines.filter((line) => line !== '').slice(-3);
  const plain = chosen.map((line) => line.replace(/^.*error: (\[ERROR\] : )?|^\* /, '').replace(/:?\s*$/, ''));
  return [...new Set(plain)].join('; ').slice(0, 1500);
}
