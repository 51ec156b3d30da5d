import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where we keep files, by the XDG base directory specification. Read at each call so that tests can move them. */
function xdg(variable: string, fallback: string): string {
  const value = process.env[variable];
  return join(value?.startsWith('/') ? value : join(homedir(), fallback), 'handwired');
}

/** Things that can be made again: toolchain, images. Survives destroy. */
export const cacheDir = (): string => xdg('XDG_CACHE_HOME', '.cache');

/** Labs that exist, one folder a lab, and what learners did. Empty, hence removed, when nothing of either is left. */
export const stateDir = (): string => xdg('XDG_STATE_HOME', '.local/state');

export const labsDir = (): string => join(stateDir(), 'labs');

/** A lab's own folder. Throws TypeError on a name that would lead out of the labs' folder. */
export const labDir = (name: string): string => join(labsDir(), checked(name));

/** What learners did: one file a lab, which stays when the lab goes. */
export const historyDir = (): string => join(stateDir(), 'progress');

/** A lab's history. Throws TypeError as `labDir` does. */
export const historyFile = (name: string): string => join(historyDir(), `${checked(name)}.jsonl`);

function checked(name: string): string {
  if (name === '' || name.startsWith('.') || name.includes('/')) throw new TypeError(`not a lab's name: ${name}`);
  return name;
}
