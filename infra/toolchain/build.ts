import { createHash } from 'node:crypto';
import { chmod, open, rm } from 'node:fs/promises';
import http from 'node:http';
import { dirname, join } from 'node:path';
import tls from 'node:tls';
import { LabError, readMessage, run } from '@handwired/host';
import type { Work } from '../driver.ts';
import { ensureGo, type Go } from './go.ts';
import { buildFlags, moduleFolder, type Tool } from './tools.ts';

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
  const go = await ensureGo(tool.module, work);
  const title = `Build ${tool.title} from Go modules (${tool.takes} the first time)`;
  await work.progress.stage(title, (note) => goBuild(go, tool, output, work, note));
  return `built from ${tool.package}`;
}

/** Builds one program of the committed module, as go.sum pins it, into `output`. */
async function goBuild(go: Go, tool: Tool, output: string, work: Work, note: (text: string) => void): Promise<void> {
  const flags = ['-s', '-w', ...tool.stamps.flatMap((stamp) => ['-X', stamp])].join(' ');
  const seen = { fetched: 0, compiled: 0 };
  const argv = [go.command, 'build', '-v', ...buildFlags, '-ldflags', flags, '-o', output, tool.package];
  // The compiler must not outlive us, or the next run would compete with it.
  const { code, stderr } = await run(['setpriv', '--pdeathsig', 'INT', '--', ...argv], {
    cwd: moduleFolder(tool.module),
    env: go.env,
    signal: work.signal,
    allowFailure: true,
    onLine: (line) => {
      if (line.startsWith('go: ')) seen.fetched += 1;
      else seen.compiled += 1;
      note(`${seen.fetched} modules fetched, ${seen.compiled} packages compiled`);
    },
  });
  if (code === 0) return;
  throw new LabError({
    what: `go build failed: ${findGoReason(stderr)}`,
    where: `${tool.package} in ${moduleFolder(tool.module)}`,
    next: 'make setup   (it goes on from here)',
    cause: new Error(stderr.slice(-4000)),
  });
}

/**
 * Why `go build -v` failed, from its stderr: the first two lines that are neither a package's name nor a download.
 * Packages are compiled side by side, so the names of others may follow.
 */
export function findGoReason(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/^(# |go: downloading )|^\S+$/.test(line));
  return lines.slice(0, 2).join('; ').slice(0, 500) || 'it said nothing';
}

/** How long we wait for the vendor's answer before we build the tool ourselves. Milliseconds. */
const answerTimeout = 5000;

/**
 * Fetches `url` into `file` and compares its SHA-256 with the pinned one. Gives false when the host can't be reached
 * from here or does not have the file. LabError: the content is not as expected.
 */
export const download = (...request: Parameters<typeof fetchFile>): Promise<boolean> =>
  asTheMachine(() => fetchFile(...request));

async function fetchFile(
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

/**
 * Does work whose requests go through the proxies of HTTPS_PROXY and its like, and trust the machine's certificates
 * (SSL_CERT_FILE too), as apt, npm and Go do.
 */
async function asTheMachine<T>(work: () => Promise<T>): Promise<T> {
  const known = tls.getCACertificates('default');
  const useNoProxy = http.setGlobalProxyFromEnv();
  tls.setDefaultCACertificates([...known, ...tls.getCACertificates('system')]);
  try {
    return await work();
  } finally {
    useNoProxy();
    tls.setDefaultCACertificates(known);
  }
}

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
