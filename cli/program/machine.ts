import { Argument, type Command } from 'commander';
import type { Context } from '../context.ts';
import { oneOf } from '../options.ts';
import { command, output, type Act } from './parts.ts';

/** Commands about this machine: what it has, what it needs, the images it keeps. */
export function addMachine(program: Command, context: Context, act: Act): void {
  command(program, 'doctor', 'what this machine has and lacks, with the commands that mend it', 'lab doctor')
    .addOption(output(['text', 'json']))
    .action((options: { output: 'text' | 'json' }) =>
      act('doctor', async () => (await import('../commands/doctor.ts')).runDoctor(context, options.output)),
    );
  const targets = ['auto', 'vm', 'sandbox', 'docker', 'all'] as const;
  command(program, 'setup', 'get what a driver needs: packages, toolchain, image', 'lab setup sandbox')
    .addArgument(
      new Argument('[target]', targets.join(', ')).argParser(oneOf('setup target', targets)).default('auto' as const),
    )
    .action((target: (typeof targets)[number]) =>
      act('setup', async () => (await import('../commands/setup.ts')).runSetup(context, target)),
    );
  const image = command(program, 'image', "the VM's disk image: build, verify, list, prune", 'lab image list');
  const load = () => import('../commands/image.ts');
  command(image, 'build', 'build it, unless it is there', 'lab image build').action(() =>
    act('image build', async () => (await load()).runImageBuild(context)),
  );
  command(image, 'verify', 'build it twice and compare the bits', 'lab image verify').action(() =>
    act('image verify', async () => (await load()).runImageVerify(context)),
  );
  command(image, 'list', 'what the cache holds', 'lab image list')
    .addOption(output(['table', 'json']))
    .action((options: { output: 'table' | 'json' }) =>
      act('image list', async () => (await load()).runImageList(context, options.output)),
    );
  command(image, 'prune', 'remove the images that nothing uses', 'lab image prune').action(() =>
    act('image prune', async () => (await load()).runImagePrune(context)),
  );
}
