import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir } from '@handwired/host';

/**
 * Makes `folder` a PULUMI_HOME, with the plugins of another one where they are given. Whatever the CLI is asked, it
 * writes there: a log of each call (pkg/logging/encrypted.go, StartLogging), credentials, what it knows of a project.
 * So it is never the user's own ~/.pulumi, and never the shared one in the cache, but a folder that goes with its lab.
 */
export async function makeHome(folder: string, pluginsFrom?: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (pluginsFrom === undefined) return;
  const link = join(folder, 'plugins');
  await rm(link, { recursive: true, force: true });
  await symlink(join(pluginsFrom, 'plugins'), link);
}

/** Calls the CLI with a PULUMI_HOME that is gone afterwards: for questions that belong to no lab. */
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
