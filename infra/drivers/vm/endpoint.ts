import { join } from 'node:path';
import type { Endpoint, LabSpec } from '@handwired/host';
import type { Hypervisor } from './hypervisor/index.ts';
import { privateFolders } from './hypervisor/private.ts';
import type { Keys } from './keys.ts';
import type { VmRecord } from './record.ts';

/** Where the lab host's ssh servers listen, in its management namespace: lab-ssh.socket and lab-seat.socket. */
const sshPort = 22;
export const seatPort = 2022;

/**
 * How to reach the lab host's sshd, and the grader's seat beside it. On a private hypervisor its network is in another namespace; on another machine's
 * (`qemu+ssh://USER@HOST/...`) ssh's own stdio forwarding goes there; else this machine has a route.
 */
export function endpointOf(
  spec: LabSpec,
  hypervisor: Hypervisor,
  { address }: Pick<VmRecord, 'address'>,
  keys: Keys,
): Endpoint {
  return {
    lab: spec.name,
    driver: 'vm',
    dial: dialOf(hypervisor, address),
    user: 'root',
    privateKeyFile: keys.privateKeyFile,
    hostKey: keys.hostPublicKey,
    // The seat counts processes as the lab host does; what a learner sees is what the first of them sees.
    seat: { dial: dialOf(hypervisor, address, { port: seatPort }), viewPid: 1 },
  };
}

/** See `endpointOf`. Seconds bound the wait for the connection on a private hypervisor. */
export function dialOf(
  { kind, uri }: Hypervisor,
  address: string,
  { port = sshPort, seconds = 10 }: { port?: number; seconds?: number } = {},
): Endpoint['dial'] {
  if (kind === 'private') {
    const script = join(import.meta.dirname, 'hypervisor/dial.sh');
    return { command: ['/bin/sh', script, privateFolders().run, address, String(port), String(seconds)] };
  }
  const far = /^[a-z]+\+ssh:\/\/(?:([^@/]+)@)?([^/:]+)(?::(\d+))?\//.exec(uri);
  if (!far) return { address, port };
  const [, user, machine = '', sshAt] = far;
  const target = user === undefined ? machine : `${user}@${machine}`;
  const toSshd = sshAt === undefined ? [] : ['-p', sshAt];
  return { command: ['ssh', '-o', 'BatchMode=yes', ...toSshd, '-W', `${address}:${port}`, target] };
}
