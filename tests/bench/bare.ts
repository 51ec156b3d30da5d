import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@handwired/host';
import type { Work } from '@handwired/infra';
import { probeAcceleration } from '../../infra/drivers/vm/acceleration.ts';
import { ensureImage } from '../../infra/image/index.ts';
import { renderSeed, writeSeedDisk } from '../../infra/image/seed.ts';
import { bootBare } from '../boot-bare.ts';

const env = { FORWARD_POLICY: 'accept', BRIDGE_NF: '0', RESOLVER: 'stub', IP_FORWARD: '0' };

/** Milliseconds that bare QEMU takes from power-on to an ssh answer, with our image and the machine's accelerator. */
export async function bareBoot(machine: { cpus: number; memoryMiB: number }, work: Work): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'handwired-bench-'));
  try {
    const key = async (name: string): Promise<{ privateKey: string; publicKey: string }> => {
      const file = join(folder, name);
      await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file]);
      const publicKey = (await readFile(`${file}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ');
      return { privateKey: await readFile(file, 'utf8'), publicKey };
    };
    const [hostKeyPair, user] = [await key('host'), await key('user')];
    const lab = { name: 'bare', instance: 'bare', env: { LAB_NAME: 'bare', LAB_DRIVER: 'vm', ...env } };
    const seed = renderSeed({ ...lab, hostKeyPair, authorizedKey: user.publicKey });
    const seedDisk = join(folder, 'seed.iso');
    await writeSeedDisk(seed, seedDisk, work.signal);
    const { accelerator } = await probeAcceleration(work);
    const vm = await bootBare(await ensureImage(work), seedDisk, { accelerator, ...machine }, work);
    await vm.stop();
    return vm.ms;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
