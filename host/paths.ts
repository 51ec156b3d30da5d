import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where we keep files, by the XDG base directory specification. Read at each call so that tests can move them. */
function xdg(variable: string, fallback: string): string {
  const value = process.env[variable];
  return join(value?.startsWith('/') ? value : join(homedir(), fallback), 'handwired');
}

/** Things that can be made again: toolchain, images. Survives destroy. */
export const cacheDir = (): string => xdg('XDG_CACHE_HOME', '.cache');

/** Labs that exist: one folder a lab. Empty, hence removed, when no lab is left. */
export const stateDir = (): string => xdg('XDG_STATE_HOME', '.local/state');

export const labsDir = (): string => join(stateDir(), 'labs');

/** A lab's own folder. Throws TypeError on a name that would lead out of the labs' folder. */
export function labDir(name: string): string {
  if (name === '' || name.startsWith('.') || name.includes('/')) throw new TypeError(`not a lab's name: ${name}`);
  return join(labsDir(), name);
}
