import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findReason } from './mmdebstrap.ts';

test('why mmdebstrap failed is what apt said first, not that it failed', () => {
  const unsigned = `I: running apt-get update...
Err:1 http://mirror.example/ubuntu noble InRelease
W: GPG error: http://mirror.example/ubuntu noble InRelease: The key is not available: NO_PUBKEY 871920D1991BC93C
E: The repository 'http://mirror.example/ubuntu noble InRelease' is not signed.
E: apt-get update -oAPT::Status-Fd=<$fd> -oDpkg::Use-Pty=false failed
W: hooklistener errored out: E: received eof on socket
E: mmdebstrap failed to run
`;
  assert.equal(
    findReason(unsigned),
    "GPG error: http://mirror.example/ubuntu noble InRelease: The key is not available: NO_PUBKEY 871920D1991BC93C; The repository 'http://mirror.example/ubuntu noble InRelease' is not signed.",
  );
});

test('of a hook that failed its own last words count; of a program that only ends, its last line', () => {
  const hook = 'I: running --customize-hook...\nrun-phase: 25-vm.sh failed\nE: command failed: sh customize.sh\n';
  assert.equal(findReason(`${hook}E: mmdebstrap failed to run\n`), 'run-phase: 25-vm.sh failed');
  assert.equal(findReason('one\ntwo\n'), 'two');
  assert.equal(findReason(''), 'it said nothing');
});
