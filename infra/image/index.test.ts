import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differences } from './index.ts';
import { listNames } from '../packages.ts';
import { readImage, kernelCmdline, type Manifest } from './store.ts';

const manifest: Manifest = {
  ...{ schemaVersion: 1, hash: 'abc', suite: 'trixie', architecture: 'amd64', kernelVersion: '6.12' },
  ...{ builtAt: '2026-01-01T00:00:00.000Z', buildMs: 1, packages: ['bash 5', 'iproute2 6'] },
  files: { 'disk.qcow2': { bytes: 3_000_000, sha256: 'a' }, initrd: { bytes: 10, sha256: 'b' } },
};

test('two builds with the same bits do not differ', () => {
  assert.deepEqual(differences(manifest, structuredClone(manifest)), []);
});

test('a file with other bits and a package that moved on are named', () => {
  const other = structuredClone(manifest);
  other.files['initrd'] = { bytes: 10, sha256: 'c' };
  other.packages[1] = 'iproute2 7';
  assert.deepEqual(differences(manifest, other), ['initrd', 'package iproute2 7']);
});

test('the kernel command line carries the management address last', () => {
  const image = readImage('/images/abc', manifest);
  assert.match(
    kernelCmdline(image, { address: '10.0.0.2', prefix: 24 }),
    /^root=\S+ .* handwired\.mgmt=10\.0\.0\.2\/24$/,
  );
  assert.equal(image.sizeMiB, 3);
});

test('the console is the first serial port of the processor’s machine', () => {
  assert.match(readImage('/images/abc', manifest).cmdline, / console=ttyS0 /);
  assert.match(readImage('/images/abc', { ...manifest, architecture: 'arm64' }).cmdline, / console=ttyAMA0 /);
});

test('a package list has one name a line and comments', () => {
  const names = listNames('# what\nbash\n\n  curl  # why\nsome? other\n');
  assert.deepEqual(names, [
    { name: 'bash', optional: false, program: '' },
    { name: 'curl', optional: false, program: '' },
    { name: 'some', optional: true, program: 'other' },
  ]);
});
