import { silent } from '@handwired/host';
import { bareBoot } from './bare.ts';
import { add, median, note } from './figures.ts';
import { repeat, time } from './time.ts';

const work = { progress: silent, signal: new AbortController().signal };

/** One lab on a VM, against bare QEMU with the same kernel, disk and accelerator. */
export async function benchVm(): Promise<void> {
  const machine = ['--cpus', '1', '--memory', '512'];
  await time(['up', 'bench', '--driver', 'vm', ...machine]);
  await time(['destroy', 'bench']);
  const bare: number[] = [];
  const up: number[] = [];
  const down: number[] = [];
  for (let at = 0; at < 3; at += 1) {
    bare.push((await bareBoot({ cpus: 1, memoryMiB: 512 }, work)) / 1000);
    up.push((await time(['up', 'bench', '--driver', 'vm', ...machine])).seconds);
    if (at < 2) down.push((await time(['destroy', 'bench'])).seconds);
  }
  const alone = median(bare);
  note(`bare QEMU, same kernel, disk and accelerator, from power-on to an ssh answer: ${alone.toFixed(1)} s`);
  note(`lab up of a VM, warm caches: ${median(up).toFixed(1)} s`);
  add('lab up of a VM, in times of bare QEMU', median(up) / alone, 1.15, 'x');
  add('lab up of a VM that is up', (await repeat(3, () => time(['up', 'bench']))).seconds, 0.5);
  add('lab status with a VM', (await repeat(3, () => time(['status']))).seconds, 0.4);
  const build = await time(['build', 'bench']);
  note(`lab build of the whole course on a VM: ${build.seconds.toFixed(1)} s`);
  const check = await repeat(3, () => time(['check', 'bench']));
  add('lab check of the whole course on a VM', check.seconds, 10);
  await time(['exec', 'bench', '--', 'iptables', '-I', 'FORWARD', '-j', 'DROP']);
  const wrong = await repeat(3, () => time(['check', 'bench', '--through', 'publish'], 1));
  add('lab check of a wrong build on a VM, in times of the right one', wrong.seconds / check.seconds, 2, 'x');
  down.push((await time(['destroy', 'bench'])).seconds);
  add('lab destroy of a VM', median(down), 5);
}
