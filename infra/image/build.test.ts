import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { unpackKernel } from './build.ts';

const vmlinux = Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46]), Buffer.alloc(5000, 'kernel')]);

/** A bzImage by Documentation/arch/x86/boot.rst, with `payload` as the compressed kernel. */
function bzImage(payload: Buffer): Buffer {
  const setup = Buffer.alloc(3 * 512);
  setup[0x1f1] = 2;
  setup.write('HdrS', 0x202, 'latin1');
  setup.writeUInt32LE(16, 0x248);
  setup.writeUInt32LE(payload.length + 4, 0x24c);
  return Buffer.concat([setup, Buffer.alloc(16), payload, Buffer.alloc(4), Buffer.alloc(64, 'tail')]);
}

for (const [name, compress] of Object.entries({ zstd: zstdCompressSync, gzip: gzipSync })) {
  test(`a kernel packed with ${name} is unpacked`, () => {
    assert.deepEqual(unpackKernel(bzImage(compress(vmlinux))), vmlinux);
  });
}

test('what is not a bzImage, or is packed in another way, stays as it is', () => {
  for (const image of [
    Buffer.from('MZ'),
    Buffer.alloc(4096, 1),
    bzImage(Buffer.from('\xfd7zXZ\0 not ours', 'latin1')),
  ]) {
    assert.equal(unpackKernel(image), image);
  }
});

test('a payload that is no ELF file is left alone', () => {
  const image = bzImage(zstdCompressSync(Buffer.alloc(5000, 'x')));
  assert.equal(unpackKernel(image), image);
});
