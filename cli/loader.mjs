/**
 * Preloaded by lab.sh and by all else that runs the TypeScript of this workspace: Node's compile cache, then tsx. Both
 * caches are in our cache folder. tsx reads TMPDIR once, when it is loaded, so TMPDIR is set for that moment: nothing of ours is left in /tmp.
 */
import { accessSync, constants } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../host/files.ts';

const base = process.env.XDG_CACHE_HOME?.startsWith('/') ? process.env.XDG_CACHE_HOME : join(homedir(), '.cache');
const cache = join(base, 'handwired', 'node');
const ownTmpdir = process.env.TMPDIR;
try {
  makeFolder(cache);
  accessSync(cache, constants.W_OK);
  module.enableCompileCache(cache);
  process.env.TMPDIR = cache;
} catch {
  // Without a cache lab starts later; nothing else changes.
  process.env.TSX_DISABLE_CACHE = '1';
}
const { register } = await import('tsx/esm/api');
register({ tsconfig: join(import.meta.dirname, '..', 'tsconfig.json') });
if (ownTmpdir === undefined) delete process.env.TMPDIR;
else process.env.TMPDIR = ownTmpdir;
