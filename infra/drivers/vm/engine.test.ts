import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { engineErrors } from './engine.ts';

const fixture = (name: string): string => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');

test('the engine says once why it stopped, without its own decoration', () => {
  const why = engineErrors(fixture('engine-domain-failed.txt'));
  assert.equal(
    why,
    "error creating libvirt domain: Failed to create file '/var/lib/libvirt/dnsmasq/hw-c6bda14c3c.macs.new': No such file or directory",
  );
});

test('output without an error line is quoted by its end', () => {
  assert.equal(engineErrors('one\n\ntwo\nthree\nfour\n'), 'two; three; four');
});
