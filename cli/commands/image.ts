import { EXIT } from '@handwired/host';
import { images } from '@handwired/infra';
import type { Context } from '../context.ts';
import { renderTable } from '../table.ts';

/** `lab image build`: the VM's disk image, unless it is there already. */
export async function runImageBuild(context: Context): Promise<number> {
  context.resume = 'lab image build   (starts it again)';
  const image = await images.build(context);
  context.print(`image ${image.hash.slice(0, 12)}  ${image.sizeMiB} MiB  ${image.disk}`);
  return EXIT.ok;
}

/** `lab image verify`: builds it twice and compares the bits; 1 when they differ. */
export async function runImageVerify(context: Context): Promise<number> {
  context.resume = 'lab image verify   (starts it again)';
  const { equal, hash } = await images.verify(context);
  context.print(
    equal ? `equal: two builds from the same inputs have the hash ${hash}` : 'NOT equal: two builds differ',
  );
  return equal ? EXIT.ok : EXIT.failed;
}

/** `lab image list`: what the cache holds. */
export async function runImageList(context: Context, output: 'table' | 'json'): Promise<number> {
  const list = await images.list();
  if (output === 'json') context.print(JSON.stringify({ schemaVersion: 1, images: list }, null, 2));
  else if (list.length === 0) context.print('there is no image\nnext: lab image build');
  else {
    const rows = list.map((image) => [image.hash.slice(0, 12), `${image.sizeMiB} MiB`, image.format, image.disk]);
    context.print(renderTable(['hash', 'size', 'format', 'disk'], rows));
  }
  return EXIT.ok;
}

/** `lab image prune`: removes images that no lab uses and the present inputs don't give. */
export async function runImagePrune(context: Context): Promise<number> {
  const removed = await images.prune(context);
  context.print(
    removed.length === 0 ? 'nothing to remove' : ['removed:', ...removed.map((path) => `  ${path}`)].join('\n'),
  );
  return EXIT.ok;
}
