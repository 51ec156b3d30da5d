import { constants, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import { cacheDir, exists, readJson, run, writeAtomic } from '@handwired/host';
import { z } from 'zod';
import type { Work } from '../driver.ts';
import { type Artifact, ensureArtifact, findFolder, isIntact } from './artifact.ts';
import { dropGoFolder, withGo } from './go.ts';
import { bridge, buildFlags, libvirt, moduleFolder, pulumi, sdkgen, type Tool } from './tools.ts';

/** The engine with everything that it needs to control libvirt without a registry. */
export interface Toolchain {
  /** The folder with bin/pulumi, for `PulumiCommand.get({ root })`. */
  pulumiRoot: string;
  /** The folder with the bridge in plugins/, for `makeHome`. Nothing else may be written there. */
  pulumiHome: string;
  /** The folder with the libvirt provider: PULUMI_DYNAMIC_TF_PLUGIN_CACHE_DIR. */
  pluginCacheDir: string;
  /** For every call of the engine. The caller adds PULUMI_HOME, backend, passphrase and TMPDIR (seeds) of its lab. */
  env: Record<string, string>;
}

const tools = [pulumi, libvirt, bridge];

/** Gets the toolchain. Uses tools that are cached and intact, and downloads or builds the others: see `getTool`. */
export const ensureToolchain = (work: Work): Promise<Toolchain> => withGoIfMissing(tools, work, () => assemble(work));

/** Gets the toolchain, and the program that generates its SDK: only who works on this project needs that. */
export const ensureGenerator = (work: Work): Promise<{ toolchain: Toolchain; generator: string }> =>
  withGoIfMissing([...tools, sdkgen], work, async () => {
    const toolchain = await assemble(work);
    return { toolchain, generator: join(await ensureArtifact(await makeArtifact(sdkgen, work), work), sdkgen.file) };
  });

async function withGoIfMissing<T>(wanted: Tool[], work: Work, ensure: () => Promise<T>): Promise<T> {
  if ((await missingTools(wanted)).length > 0) return withGo(work, ensure);
  await dropGoFolder();
  return ensure();
}

/** The tools that are not cached, or not intact, by title; for `lab doctor`. */
export async function missingTools(wanted = tools): Promise<string[]> {
  const missing: string[] = [];
  for (const tool of wanted) {
    if (tool === pulumi && (await findPulumiOnPath()) !== undefined) continue;
    if (!(await isIntact(findFolder(await makeIdentity(tool)), [tool.file]))) missing.push(tool.title);
  }
  return missing;
}

async function assemble(work: Work): Promise<Toolchain> {
  const pulumiRoot = (await findPulumiOnPath()) ?? (await ensureArtifact(await makeArtifact(pulumi, work), work));
  const pulumiHome = await ensureArtifact(await bridgeArtifact(pulumiRoot, work), work);
  const pluginCacheDir = await ensureArtifact(await makeArtifact(libvirt, work), work);
  const env = {
    PULUMI_DYNAMIC_TF_PLUGIN_CACHE_DIR: pluginCacheDir,
    PULUMI_SKIP_UPDATE_CHECK: 'true',
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
  };
  return { pulumiRoot, pulumiHome, pluginCacheDir, env };
}

async function makeIdentity(tool: Tool): Promise<Pick<Artifact, 'name' | 'inputs'>> {
  const files = ['go.mod', 'go.sum', ...(tool.package.startsWith('./') ? [join(tool.package, 'main.go')] : [])];
  const sources = await Promise.all(files.map((file) => readFile(join(moduleFolder(tool.module), file), 'utf8')));
  const inputs = [tool.package, ...tool.stamps, tool.file, process.arch, ...buildFlags, ...sources];
  return { name: `${tool.name}-${tool.version}`, inputs };
}

async function makeArtifact(tool: Tool, work: Work): Promise<Artifact> {
  const make = async (folder: string): Promise<string> => {
    await mkdir(dirname(join(folder, tool.file)), { recursive: true });
    const { getTool } = await import('./build.ts');
    return getTool(tool, folder, work);
  };
  return { ...(await makeIdentity(tool)), files: [tool.file], make };
}

/** The bridge's folder is a PULUMI_HOME: the engine itself installs the plugin into it. The engine's log is removed. */
async function bridgeArtifact(pulumiRoot: string, work: Work): Promise<Artifact> {
  const make = async (folder: string): Promise<string> => {
    const program = join(folder, basename(bridge.file));
    const { buildTool } = await import('./build.ts');
    const source = await buildTool(bridge, program, work);
    const argv = [join(pulumiRoot, 'bin/pulumi'), 'plugin', 'install', 'resource', 'terraform-provider'];
    await run([...argv, `v${bridge.version}`, '--file', program], {
      env: { PULUMI_HOME: folder, PULUMI_SKIP_UPDATE_CHECK: 'true' },
      signal: work.signal,
      next: 'make setup',
    });
    await rm(program);
    // The engine marks its use there (sdk/go/common/workspace/plugins.go, pluginLastUsedSuffix). With this no lab adds a file.
    await writeFile(join(folder, `${dirname(bridge.file)}.lastused`), '');
    await rm(join(folder, 'logs'), { recursive: true, force: true });
    return source;
  };
  return { ...(await makeIdentity(bridge)), files: [bridge.file], make };
}

const OnPath = z.object({ file: z.string(), size: z.number(), mtimeMs: z.number(), version: z.string() });

/** The root of a pulumi on PATH that is at least as new as ours. The version is cached: asking for it takes 0.3 s. */
async function findPulumiOnPath(): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, 'pulumi');
    if (basename(folder) !== 'bin' || !(await exists(file, constants.X_OK))) continue;
    const { size, mtimeMs } = await stat(file);
    const memory = join(cacheDir(), 'toolchain', 'pulumi-on-path.json');
    const known = await readJson(memory, OnPath).catch(() => undefined);
    const same = known?.file === file && known.size === size && known.mtimeMs === mtimeMs;
    const version = same ? known.version : await askVersion(file);
    if (!same) await writeAtomic(memory, JSON.stringify({ file, size, mtimeMs, version }));
    return isAtLeast(version, pulumi.version) ? dirname(folder) : undefined;
  }
  return undefined;
}

async function askVersion(file: string): Promise<string> {
  const answer = await withHome(undefined, (env) => run([file, 'version'], { allowFailure: true, env }));
  return answer.stdout.trim().replace(/^v/, '');
}

/** Compares dotted versions of the same major; a pre-release counts as its release. */
export function isAtLeast(version: string, wanted: string): boolean {
  const [a, b] = [version, wanted].map((text) => text.split(/[.+-]/).slice(0, 3).map(Number));
  if (a?.length !== 3 || !b || a.some(Number.isNaN) || a[0] !== b[0]) return false;
  const difference = (a[1] ?? 0) - (b[1] ?? 0) || (a[2] ?? 0) - (b[2] ?? 0);
  return difference >= 0;
}

/**
 * Makes `folder` a PULUMI_HOME, with the plugins of `pluginsFrom` if given. The CLI writes there at each call: a log
 * (pkg/logging/encrypted.go, StartLogging), credentials, what it knows about a project. So it is never the user's own
 * ~/.pulumi and never the shared folder in the cache, but a folder that is removed with its lab.
 */
export async function makeHome(folder: string, pluginsFrom?: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (pluginsFrom === undefined) return;
  const link = join(folder, 'plugins');
  await rm(link, { recursive: true, force: true });
  await symlink(join(pluginsFrom, 'plugins'), link);
}

/** Calls the CLI with a temporary PULUMI_HOME, for questions that belong to no lab. */
export async function withHome<T>(
  pluginsFrom: string | undefined,
  ask: (env: Record<string, string>) => Promise<T>,
): Promise<T> {
  await mkdir(join(cacheDir(), 'toolchain'), { recursive: true });
  const home = await mkdtemp(join(cacheDir(), 'toolchain', 'home-'));
  try {
    await makeHome(home, pluginsFrom);
    return await ask({ PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: 'true' });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
