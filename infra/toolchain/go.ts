import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { LabError, run } from '@handwired/host';
import { z } from 'zod';
import type { Work } from '../driver.ts';
import { ensurePackages } from '../packages.ts';
import { type Tool, toolchainGoArch } from './tools.ts';

/** A Go that can build our modules: argv[0] and what it needs in its environment. */
export interface Go {
  command: string;
  env: Record<string, string>;
}

/** Go 1.21 is the first that fetches the Go which a go.mod asks for (go.dev/doc/toolchain). */
const selfUpdating = [1, 21] as const;

/** The folder with go.mod and go.sum of one program. */
export const moduleFolder = (name: string): string => join(import.meta.dirname, 'go', name);

/**
 * Finds a Go, or gets one: on PATH or in its usual folder, else the distribution's package. One that is too old to
 * build our modules fetches `golang.org/toolchain` through the machine's own GOPROXY: by itself from 1.21 on.
 */
export async function ensureGo(module: string, work: Work): Promise<Go> {
  const command = (await firstThatRuns()) ?? (await fromDistribution(work));
  const [major, minor] = await versionOf(command);
  // The user's flags (`-mod=vendor`, a go.work) are about the user's own code.
  const env = { GOFLAGS: '', GOWORK: 'off', CGO_ENABLED: '0', GOARCH: toolchainGoArch, GOOS: 'linux' };
  if (major === selfUpdating[0] && minor < selfUpdating[1]) return downloaded(command, module, env, work);
  return { command, env: { ...env, GOTOOLCHAIN: 'auto' } };
}

/** How every program is built. Read-only modules: a go.sum that lacks something is an error, not something to mend. */
export const buildFlags = ['-mod=readonly', '-trimpath', '-buildvcs=false', '-tags', 'osusergo,grpcnotrace'] as const;

/** Builds one program of the committed module, as go.sum pins it, into `output`. */
export async function goBuild(
  go: Go,
  tool: Tool,
  output: string,
  work: Work,
  note: (text: string) => void,
): Promise<void> {
  const flags = ['-s', '-w', ...tool.stamps.flatMap((stamp) => ['-X', stamp])].join(' ');
  const seen = { fetched: 0, compiled: 0 };
  const scratch = await mkdtemp(`${output}.scratch-`);
  const argv = [go.command, 'build', '-v', ...buildFlags, '-ldflags', flags, '-o', output, tool.package];
  // The compiler must not outlive us, or the next run would compete with it.
  await run(['setpriv', '--pdeathsig', 'INT', '--', ...argv], {
    cwd: moduleFolder(tool.name),
    env: { ...go.env, GOTMPDIR: scratch },
    signal: work.signal,
    next: `cd ${moduleFolder(tool.name)} && go build ${tool.package}`,
    onLine: (line) => {
      if (line.startsWith('go: ')) seen.fetched += 1;
      else seen.compiled += 1;
      note(`${seen.fetched} modules fetched, ${seen.compiled} packages compiled`);
    },
  });
  await rm(scratch, { recursive: true, force: true });
}

async function firstThatRuns(): Promise<string | undefined> {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/local/go/bin', '/usr/lib/go/bin']) {
    if (!folder.startsWith('/')) continue;
    const command = join(folder, 'go');
    const { code } = await run([command, 'version'], { allowFailure: true }).catch(() => ({ code: null }));
    if (code === 0) return command;
  }
  return undefined;
}

async function fromDistribution(work: Work): Promise<string> {
  await ensurePackages('go', work);
  const command = await firstThatRuns();
  if (command !== undefined) return command;
  throw new LabError({ what: 'there is no Go to build the toolchain with', next: 'apt-get install golang-go' });
}

async function versionOf(command: string): Promise<[number, number]> {
  const { stdout } = await run([command, 'version'], { env: { GOTOOLCHAIN: 'local' } });
  const match = /\bgo(\d+)\.(\d+)/.exec(stdout);
  if (!match)
    throw new LabError({ what: `not a Go: ${stdout.trim()}`, where: command, next: 'apt-get install golang-go' });
  return [Number(match[1]), Number(match[2])];
}

const Downloaded = z.object({ Dir: z.string() });

/** An old Go fetches the new one as the module that it is published as; its sum is checked against the sum database. */
async function downloaded(old: string, module: string, env: Record<string, string>, work: Work): Promise<Go> {
  const wanted = /^go (\d+\.\d+\.\d+)$/m.exec(await readFile(join(moduleFolder(module), 'go.mod'), 'utf8'))?.[1];
  if (wanted === undefined)
    throw new LabError({ what: 'go.mod names no Go release', where: module, next: 'git status' });
  return work.progress.stage(`Fetch Go ${wanted}`, async () => {
    const version = `golang.org/toolchain@v0.0.1-go${wanted}.linux-${toolchainGoArch}`;
    const argv = [old, 'mod', 'download', '-json', version];
    const { stdout } = await run(argv, { cwd: '/', env, signal: work.signal, next: 'apt-get install golang-go' });
    const root = Downloaded.parse(JSON.parse(stdout)).Dir;
    // Modules carry no file modes: a toolchain's programs must be made executable (cmd/go/internal/toolchain does so).
    for (const folder of ['bin', `pkg/tool/linux_${toolchainGoArch}`])
      for (const name of await readdir(join(root, folder))) await chmod(join(root, folder, name), 0o755);
    return { command: join(root, 'bin/go'), env: { ...env, GOROOT: root, GOTOOLCHAIN: 'local' } };
  });
}
