import { createHash } from 'node:crypto';
import { chmod, mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { LabError, readMessage, run } from '@handwired/host';
import { z } from 'zod';
import type { Work } from '../driver.ts';
import { ensurePackages } from '../packages.ts';
import { buildFlags, moduleFolder, type Tool, toolchainGoArch } from './tools.ts';

/** Puts a tool's program at `tool.file` in `folder`: the vendor's build if possible, else our own. Says which. */
export async function getTool(tool: Tool, folder: string, work: Work): Promise<string> {
  return (await downloadTool(tool, folder, work)) ?? (await buildTool(tool, join(folder, tool.file), work));
}

/** Downloads a tool and says from where; undefined when there is no download or it can't be reached from here. */
async function downloadTool(tool: Tool, folder: string, work: Work): Promise<string | undefined> {
  const vendor = tool.download;
  if (!vendor) return undefined;
  return work.progress.stage(`Download ${tool.title}`, async (note) => {
    const archive = join(folder, 'download');
    const ok = await download(vendor.url, vendor.sha256, archive, work.signal, note);
    if (ok) {
      const into = dirname(join(folder, tool.file));
      await run(['tar', '-xzf', archive, '-C', into, '--strip-components=1', vendor.member], { signal: work.signal });
      await chmod(join(folder, tool.file), 0o755);
    } else note('not reachable from here; building it instead');
    await rm(archive, { force: true });
    return ok ? vendor.url : undefined;
  });
}

/** Builds a tool from its Go modules as `output`. Returns one line: what it was built from. */
export async function buildTool(tool: Tool, output: string, work: Work): Promise<string> {
  const go = await ensureGo(tool.name, work);
  const title = `Build ${tool.title} from Go modules (${tool.takes} the first time)`;
  await work.progress.stage(title, (note) => goBuild(go, tool, output, work, note));
  return `built from ${tool.package}`;
}

/** A Go that can build our modules: its argv[0] and its environment variables. */
interface Go {
  command: string;
  env: Record<string, string>;
}

/** Go 1.21 is the first version that fetches the Go version that a go.mod requires (go.dev/doc/toolchain). */
const selfUpdating = [1, 21] as const;

/**
 * Finds a Go on PATH or in its usual folder, else installs the distribution's package. A Go that is too old for our
 * modules fetches a newer one through the machine's own GOPROXY. From 1.21 on, Go does this by itself.
 */
export async function ensureGo(module: string, work: Work): Promise<Go> {
  const command = (await findGo()) ?? (await installGo(work));
  const [major, minor] = await readGoVersion(command);
  // The user's flags (`-mod=vendor`, a go.work) are meant for the user's own code.
  const env = { GOFLAGS: '', GOWORK: 'off', CGO_ENABLED: '0', GOARCH: toolchainGoArch, GOOS: 'linux' };
  if (major === selfUpdating[0] && minor < selfUpdating[1]) return downloadGo(command, module, env, work);
  return { command, env: { ...env, GOTOOLCHAIN: 'auto' } };
}

/** Builds one program of the committed module, as go.sum pins it, into `output`. */
async function goBuild(go: Go, tool: Tool, output: string, work: Work, note: (text: string) => void): Promise<void> {
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

/** The argv[0] of the first Go that runs. */
async function findGo(): Promise<string | undefined> {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/local/go/bin', '/usr/lib/go/bin']) {
    if (!folder.startsWith('/')) continue;
    const command = join(folder, 'go');
    const { code } = await run([command, 'version'], { allowFailure: true }).catch(() => ({ code: null }));
    if (code === 0) return command;
  }
  return undefined;
}

async function installGo(work: Work): Promise<string> {
  await ensurePackages('go', work);
  const command = await findGo();
  if (command !== undefined) return command;
  throw new LabError({ what: 'there is no Go to build the toolchain with', next: 'apt-get install golang-go' });
}

/** Major and minor version of a Go. */
async function readGoVersion(command: string): Promise<[number, number]> {
  const { stdout } = await run([command, 'version'], { env: { GOTOOLCHAIN: 'local' } });
  const match = /\bgo(\d+)\.(\d+)/.exec(stdout);
  if (!match)
    throw new LabError({ what: `not a Go: ${stdout.trim()}`, where: command, next: 'apt-get install golang-go' });
  return [Number(match[1]), Number(match[2])];
}

const Downloaded = z.object({ Dir: z.string() });

/** Lets an old Go fetch the new Go, which is published as a module. Go checks its sum against the sum database. */
async function downloadGo(old: string, module: string, env: Record<string, string>, work: Work): Promise<Go> {
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

/** How long we wait for the vendor's answer before we build the tool ourselves. Milliseconds. */
const answerTimeout = 5000;

/**
 * Fetches `url` into `file` and compares its SHA-256 with the pinned one. Gives false when the host can't be reached
 * from here or does not have the file. LabError: the content is not as expected.
 */
export async function download(
  url: string,
  sha256: string,
  file: string,
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<boolean> {
  const response = await requestFile(url, signal);
  if (!response?.body) return false;
  const total = Number(response.headers.get('content-length') ?? 0);
  const hash = createHash('sha256');
  const target = await open(file, 'wx');
  let size = 0;
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      hash.update(chunk);
      await target.writeFile(chunk);
      size += chunk.length;
      note(`${megabytes(size)}${total > 0 ? ` of ${megabytes(total)}` : ''} MB`);
    }
  } catch (error) {
    signal.throwIfAborted();
    note(`the download broke off: ${readMessage(error)}`);
    return false;
  } finally {
    await target.close();
  }
  const actual = hash.digest('hex');
  if (actual === sha256) return true;
  throw new LabError({
    what: `the download is not what it should be: sha256 ${actual}, not ${sha256}`,
    where: url,
    next: 'make setup',
  });
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);

/** The vendor's answer; undefined when none came in time or the vendor does not have the file. */
async function requestFile(url: string, signal: AbortSignal): Promise<Response | undefined> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), answerTimeout);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, late.signal]) });
    return response.ok ? response : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
