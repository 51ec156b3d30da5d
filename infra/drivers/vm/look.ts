import { virsh, virshSays } from './virsh.ts';

/** What of a lab is there in libvirt, by its name alone. */
export interface Objects {
  /** `running`, `shut off`, `paused`, `crashed`, `in shutdown`, ... (virsh domstate); '' when there is none. */
  domain: string;
  network: 'active' | 'inactive' | '';
  pool: 'active' | 'inactive' | '';
}

/** Looks at the three objects in one virsh call, which costs 0.1 s. */
export async function look(uri: string, object: string, signal: AbortSignal, timeoutMs = 5000): Promise<Objects> {
  const commands = ['list --all', 'net-list --all', 'pool-list --all'].join('; ');
  const { stdout } = await virsh(uri, [commands], { signal, timeoutMs });
  return readLists(stdout, object);
}

/** Rows of the three lists. A domain's starts with its number or `-`; a pool's has one column less than a network's. */
export function readLists(text: string, object: string): Objects {
  const found: Objects = { domain: '', network: '', pool: '' };
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/);
    if (words[1] === object && /^(-|\d+)$/.test(words[0] ?? '')) found.domain = words.slice(2).join(' ');
    if (words[0] !== object || (words[1] !== 'active' && words[1] !== 'inactive')) continue;
    found[words.length === 4 ? 'network' : 'pool'] = words[1];
  }
  return found;
}

/** Volumes of the lab's pool, by name; none where the pool is not active. */
export async function volumesOf(uri: string, object: string, signal: AbortSignal): Promise<string[]> {
  const text = await virshSays(uri, ['vol-list', object], { signal });
  return text
    .split('\n')
    .flatMap((line) => line.trim().split(/\s+/)[0] ?? '')
    .filter((name) => name !== '');
}
