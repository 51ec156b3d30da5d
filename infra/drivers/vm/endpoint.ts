import { join } from 'node:path';
import type { Endpoint, LabSpec } from '@handwired/host';
import type { Hypervisor } from './hypervisor/index.ts';
import { privateFolders } from './hypervisor/private.ts';
import type { Keys } from './keys.ts';
import type { Subnet } from './subnet.ts';

/**
 * How to reach the lab host's sshd. On a private hypervisor its network is in another namespace; on another machine's
 * (`qemu+ssh://USER@HOST/...`) ssh's own stdio forwarding goes there; else this machine has a route.
 */
export function endpointOf(spec: LabSpec, hypervisor: Hypervisor, at: Pick<Subnet, 'address'>, keys: Keys): Endpoint {
  return {
    lab: spec.name,
    driver: 'vm',
    dial: dialOf(hypervisor, at.address),
    user: 'root',
    privateKeyFile: keys.privateKeyFile,
    hostKey: keys.hostPublicKey,
  };
}

/** See `endpointOf`. Seconds bound the wait for the connection on a private hypervisor. */
export function dialOf({ kind, uri }: Hypervisor, address: string, seconds = 10): Endpoint['dial'] {
  if (kind === 'private') {
    const script = join(import.meta.dirname, 'hypervisor/dial.sh');
    return { command: ['/bin/sh', script, privateFolders().run, address, '22', String(seconds)] };
  }
  const far = /^[a-z]+\+ssh:\/\/(?:([^@/]+)@)?([^/:]+)(?::(\d+))?\//.exec(uri);
  if (!far) return { address, port: 22 };
  const [, user, machine = '', port] = far;
  const target = user === undefined ? machine : `${user}@${machine}`;
  return {
    command: ['ssh', '-o', 'BatchMode=yes', ...(port === undefined ? [] : ['-p', port]), '-W', `${address}:22`, target],
  };
}
