import { EXIT } from '@handwired/host';
import { images } from '@handwired/infra';
import { type Context, type LabCommand, createOutputOption } from '../command.ts';
import { renderTable } from '../text.ts';

/** `lab image build`: builds the VM's disk image, unless it is there already. */
export const build: LabCommand = { example: 'lab image build', run: runBuild };

/** `lab image verify`: builds the image twice and compares the results. Exit code 1 when they differ. */
export const verify: LabCommand = { example: 'lab image verify', run: runVerify };

/** `lab image list`: lists the images in the cache. */
export const list: LabCommand = {
  example: 'lab image list',
  declare: (command) => command.addOption(createOutputOption('table', 'json')),
  run: runList,
};

/** `lab image prune`: removes each image that no lab uses, except the one that a build would give now. */
export const prune: LabCommand = { example: 'lab image prune', run: runPrune };

async function runBuild(context: Context): Promise<number> {
  context.resume = 'lab image build   (starts it again)';
  const image = await images.build(context);
  context.print(`image ${image.hash.slice(0, 12)}  ${image.sizeMiB} MiB  ${image.disk}`);
  return EXIT.ok;
}

async function runVerify(context: Context): Promise<number> {
  context.resume = 'lab image verify   (starts it again)';
  const { equal, hash } = await images.verify(context);
  context.print(
    equal ? `equal: two builds from the same inputs have the hash ${hash}` : 'NOT equal: two builds differ',
  );
  return equal ? EXIT.ok : EXIT.failed;
}

async function runList(context: Context, { output }: { output: 'table' | 'json' }): Promise<number> {
  const found = await images.list();
  if (output === 'json') context.print(JSON.stringify({ schemaVersion: 1, images: found }, null, 2));
  else if (found.length === 0) context.print('there is no image\nnext: lab image build');
  else {
    const rows = found.map((image) => [image.hash.slice(0, 12), `${image.sizeMiB} MiB`, image.format, image.disk]);
    context.print(renderTable(['hash', 'size', 'format', 'disk'], rows));
  }
  return EXIT.ok;
}

async function runPrune(context: Context): Promise<number> {
  const removed = await images.prune(context);
  context.print(
    removed.length === 0 ? 'nothing to remove' : ['removed:', ...removed.map((path) => `  ${path}`)].join('\n'),
  );
  return EXIT.ok;
}
