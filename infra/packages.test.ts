import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silent } from '@handwired/host';
import { ensurePackages, parsePackages } from './packages.ts';

const text = await readFile(join(import.meta.dirname, 'packages.list'), 'utf8');

test('every line of packages.list that is not a comment names a package, its targets and a reason', () => {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const read = ['amd64', 'arm64'].flatMap((processor) => parsePackages(text, processor));
  assert.equal(new Set(read.map(({ name, why }) => `${name} ${why}`)).size, lines.length);
});

test('a package for another processor is left out, and one that may be absent is marked', () => {
  const packages = parsePackages('a[amd64] vm for amd64\nb[arm64] vm for arm64\nc? vm,build may be absent\n', 'arm64');
  assert.deepEqual(packages, [
    { name: 'b', targets: ['vm'], why: 'for arm64', optional: false },
    { name: 'c', targets: ['vm', 'build'], why: 'may be absent', optional: true },
  ]);
});

/** dpkg and apt of a machine that has no package lists: a file in installed/ for each package, `lists` after an update. */
const machine: Record<string, string> = {
  'dpkg-query': `for word; do [ ! -e "$MACHINE/installed/$word" ] || echo "$word installed"; done`,
  'apt-cache': `[ -e "$MACHINE/lists" ] || exit 0
    for word; do case $word in -*|policy|*-network) ;; *) printf '%s:\n  Installed: (none)\n  Candidate: 1\n' "$word"; esac; done`,
  'apt-get': `case " $* " in
      *' -s '*)
        [ -e "$MACHINE/lists" ] || exit 100
        while [ "$1" != --no-install-recommends ]; do shift; done
        shift
        echo 'Inst libold [1.7] (1.8 Debian)'
        for word; do echo "Inst $word (1 Debian:13 [amd64])"; done; echo 'Inst libdepends (1 Debian)' ;;
      *' update '*) : >"$MACHINE/lists" ;;
      *' install '*)
        [ -e "$MACHINE/lists" ] || exit 100
        while [ "$1" != --no-install-recommends ]; do shift; done
        shift
        for word; do : >"$MACHINE/installed/$word"; done ;;
    esac`,
  dpkg: ':',
};

const notRoot = process.getuid?.() === 0 ? false : 'packages are installed by root only';

test('a machine without package lists gets optional packages too, and none that its release lacks', {
  skip: notRoot,
}, async () => {
  const top = await mkdtemp(join(tmpdir(), 'handwired-test-'));
  const old = { ...process.env };
  try {
    await mkdir(join(top, 'installed'));
    for (const [name, text] of Object.entries(machine))
      await writeFile(join(top, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    Object.assign(process.env, { PATH: `${top}:${old.PATH ?? ''}`, XDG_CACHE_HOME: top, MACHINE: top });
    // Long enough to wait until somebody else on this machine has installed theirs: there is one lock for all.
    await ensurePackages('vm', { progress: silent, signal: AbortSignal.timeout(300_000) });
    const installed = await readdir(join(top, 'installed'));
    assert.ok(installed.includes('libvirt-daemon') && installed.includes('libvirt-daemon-driver-storage'));
    assert.ok(!installed.includes('libvirt-daemon-driver-network'));
    const noted = (await readFile(join(top, 'handwired/installed-packages'), 'utf8')).trim().split('\n');
    assert.deepEqual(noted, [...installed, 'libdepends'].sort(), 'what is upgraded only was there before');
  } finally {
    process.env = old;
    await rm(top, { recursive: true, force: true });
  }
});
