import { chmod, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { cacheDir, exists, LabError, run, takeLock, underLock } from '@handwired/host';
import { z } from 'zod';
import type { Work } from '../driver.ts';
import { ensurePackages } from '../packages.ts';
import { moduleFolder, type Tool, toolchainGoArch } from './tools.ts';

/** A Go that can build our modules: its argv[0] and its environment variables. */
export interface Go {
  command: string;
  env: Record<string, string>;
}

/** Go 1.21 is the first version that fetches the Go version that a go.mod requires (go.dev/doc/toolchain). */
const selfUpdating = [1, 21] as const;

/** Where Go keeps modules, compiled packages and what else it writes while it builds for us. */
const goFolder = (): string => join(cacheDir(), 'toolchain', 'go');

/** Go's temporary files. */
const goScratch = (): string => join(goFolder(), 'tmp');

/**
 * Does work that may build with Go, and removes all that Go kept for it. One process at a time does this. After a failure
 * or a kill it is kept: the next one goes on from there.
 */
export async function withGo<T>(work: Work, build: () => Promise<T>): Promise<T> {
  const onWait = (): void => work.progress.note('another process is making the toolchain; waiting for it');
  return underLock('toolchain', { signal: work.signal, onWait }, async () => {
    const built = await build();
    await rm(goFolder(), { recursive: true, force: true });
    return built;
  });
}

/** Removes what Go kept for a build that was killed at its very end. Leaves a build alone that is running. */
export async function dropGoFolder(): Promise<void> {
  if (!(await exists(goFolder()))) return;
  const busy = new AbortController();
  const lock = await takeLock('toolchain', busy.signal, () => busy.abort()).catch(() => undefined);
  if (!lock) return;
  try {
    await rm(goFolder(), { recursive: true, force: true });
  } finally {
    await lock.release();
  }
}

/**
 * Finds a Go on PATH or in its usual folder, else installs the distribution's package. A Go that is too old for our
 * modules fetches a newer one through the machine's own GOPROXY. From 1.21 on, Go does this by itself.
 */
export async function ensureGo(module: Tool['module'], work: Work): Promise<Go> {
  const env = await makeEnvironment();
  const command = (await findGo(env)) ?? (await installGo(env, work));
  const [major, minor] = await readGoVersion(command, env);
  if (major === selfUpdating[0] && minor < selfUpdating[1]) return downloadGo(command, module, env, work);
  return { command, env: { ...env, GOTOOLCHAIN: 'auto' } };
}

/** Go's environment for our builds. What the user set for mirrors and proxies (GOENV) holds; all is written to our folder. */
async function makeEnvironment(): Promise<Record<string, string>> {
  const { XDG_CONFIG_HOME: config, GOENV } = process.env;
  const folder = goFolder();
  await mkdir(goScratch(), { recursive: true });
  return {
    GOENV: GOENV || join(config?.startsWith('/') ? config : join(homedir(), '.config'), 'go/env'),
    // Go counts its own calls there (go.dev/doc/telemetry).
    XDG_CONFIG_HOME: join(folder, 'config'),
    GOPATH: join(folder, 'path'),
    GOMODCACHE: join(folder, 'modules'),
    GOCACHE: join(folder, 'build'),
    GOTMPDIR: goScratch(),
    // The user's flags (`-mod=vendor`, a go.work) are meant for the user's own code. Modules that can't be written to
    // could be removed by root only.
    GOFLAGS: '-modcacherw',
    GOWORK: 'off',
    CGO_ENABLED: '0',
    GOARCH: toolchainGoArch,
    GOOS: 'linux',
  };
}

/** The argv[0] of the first Go that runs. */
async function findGo(env: Record<string, string>): Promise<string | undefined> {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/local/go/bin', '/usr/lib/go/bin']) {
    if (!folder.startsWith('/')) continue;
    const command = join(folder, 'go');
    const { code } = await run([command, 'version'], { allowFailure: true, env }).catch(() => ({ code: null }));
    if (code === 0) return command;
  }
  return undefined;
}

async function installGo(env: Record<string, string>, work: Work): Promise<string> {
  await ensurePackages('go', work);
  const command = await findGo(env);
  if (command !== undefined) return command;
  throw new LabError({
    what: 'there is no Go to build the toolchain with',
    next: 'apt-get update && apt-get install golang-go',
  });
}

/** Major and minor version of a Go. */
async function readGoVersion(command: string, env: Record<string, string>): Promise<[number, number]> {
  const { stdout } = await run([command, 'version'], { env: { ...env, GOTOOLCHAIN: 'local' } });
  const match = /\bgo(\d+)\.(\d+)/.exec(stdout);
  if (!match)
    throw new LabError({ what: `not a Go: ${stdout.trim()}`, where: command, next: 'apt-get install golang-go' });
  return [Number(match[1]), Number(match[2])];
}

const Downloaded = z.object({ Dir: z.string() });

/** Lets an old Go fetch the new Go, which is published as a module. Go checks its sum against the sum database. */
async function downloadGo(old: string, module: Tool['module'], env: Record<string, string>, work: Work): Promise<Go> {
  const wanted = /^go (\d+\.\d+\.\d+)$/m.exec(await readFile(join(moduleFolder(module), 'go.mod'), 'utf8'))?.[1];
  if (wanted === undefined)
    throw new LabError({ what: 'go.mod names no Go release', where: module, next: 'git status' });
  return work.progress.stage(`Fetch Go ${wanted}`, async () => {
    const version = `golang.org/toolchain@v0.0.1-go${wanted}.linux-${toolchainGoArch}`;
    const argv = [old, 'mod', 'download', '-json', version];
    const { stdout } = await run(argv, { cwd: '/', env, signal: work.signal, next: 'apt-get install golang-go' });
    const root = Downloaded.parse(JSON.parse(stdout)).Dir;
    // Modules store no file modes, so we make the toolchain's programs executable, like cmd/go/internal/toolchain.
    for (const folder of ['bin', `pkg/tool/linux_${toolchainGoArch}`])
      for (const name of await readdir(join(root, folder))) await chmod(join(root, folder, name), 0o755);
    return { command: join(root, 'bin/go'), env: { ...env, GOROOT: root, GOTOOLCHAIN: 'local' } };
  });
}
