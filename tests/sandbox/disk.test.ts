import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findProcesses, run } from '@handwired/host';
import { labCommand } from '../lab.ts';
import { noSandbox } from './sandbox.ts';

interface Said {
  code: number;
  out: string;
  err: string;
}

/**
 * Runs lines of a script in which `lab` is our command, with a state folder on a small disk. `say NAME COMMAND...` keeps
 * what the command said, which is returned by its name. The disk is seen in a mount namespace of its own and ends with it.
 */
async function onSmallDisk(lines: string): Promise<(name: string) => Said> {
  const top = await mkdtemp(join(tmpdir(), 'handwired-test-'));
  const script = `set -u
mkdir "$1/state" "$1/said"
mount -t tmpfs -o size=2m none "$1/state"
say() { at="$1/said/$2"; shift 2; "$@" >"$at.out" 2>"$at.err"; echo $? >"$at.code"; }
${lines.replaceAll(/^say /gm, 'say "$1" ').replaceAll(/ lab /g, ' "$2" ')}
mount -o remount,rw "$1/state"
rm -f "$1/state/ballast"
"$2" destroy --all >&2
ls "$1/said"`;
  try {
    const inside = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', top, labCommand];
    const { stdout } = await run(inside, { env: { XDG_STATE_HOME: join(top, 'state') }, timeoutMs: 120_000 });
    const names = stdout.split('\n').flatMap((file) => /^(.+)\.code$/.exec(file)?.[1] ?? []);
    const read = (name: string, part: string): Promise<string> =>
      readFile(join(top, 'said', `${name}.${part}`), 'utf8');
    const said = names.map(
      async (name): Promise<[string, Said]> => [
        name,
        { code: Number(await read(name, 'code')), out: await read(name, 'out'), err: await read(name, 'err') },
      ],
    );
    const found = new Map(await Promise.all(said));
    return (name) => found.get(name) ?? assert.fail(`nothing was said by ${name}`);
  } finally {
    await rm(top, { recursive: true, force: true });
  }
}

const instance = `say instance grep -o '"instance": "[0-9a-f]*"' "$1/state/handwired/labs/own/lab.json"`;

async function runningOf({ out }: Said): Promise<number> {
  const id = /"instance": "([0-9a-f]+)"/.exec(out)?.[1] ?? '';
  assert.notEqual(id, '');
  return (await findProcesses('cmdline', (word) => word === `handwired-sandbox=${id}`)).length;
}

test('a full state disk takes no report away and stops no destroy', { skip: noSandbox }, async () => {
  const said = await onSmallDisk(`say up lab up own --driver sandbox
${instance}
say build lab build own --through veth
dd if=/dev/zero of="$1/state/ballast" bs=4k 2>/dev/null
say check lab check own
say other lab up other --driver sandbox
say status lab status
say destroy lab destroy own`);
  assert.equal(said('up').code, 0, said('up').err);
  assert.equal(said('check').code, 0, said('check').err);
  assert.match(said('check').out, /03 /);
  assert.match(said('check').err, /not kept for later: cannot write: ENOSPC.*; next: df -h \S+\/state/);
  assert.equal(said('other').code, 3);
  assert.match(said('other').err, /cannot write: ENOSPC[^]*next: {2}df -h /);
  assert.doesNotMatch(said('status').out, /other/);
  assert.equal(said('destroy').code, 0, said('destroy').err);
  assert.match(said('destroy').err, /the removal goes on although this failed: cannot write/);
  assert.equal(await runningOf(said('instance')), 0);
});

test('a read-only state disk takes no report away, and destroy ends the lab host', { skip: noSandbox }, async () => {
  const said = await onSmallDisk(`say up lab up own --driver sandbox
${instance}
mount -o remount,bind,ro "$1/state"
say check lab check own
say destroy lab destroy own
say running sh -c 'ps -ef | grep -c "[h]andwired-sandbox=$(grep -o "[0-9a-f]\\{16\\}" "$1")"' sh "$1/said/instance.out"
mount -o remount,bind,rw "$1/state"`);
  assert.equal(said('up').code, 0, said('up').err);
  assert.equal(said('check').code, 2, said('check').err);
  assert.match(said('check').err, /not kept for later: cannot write: EROFS.*; next: findmnt -T \S+\/state/);
  assert.equal(said('destroy').code, 3);
  assert.match(said('destroy').err, /the lab host of own is gone, its folder can't be removed: EROFS[^]*findmnt -T /);
  assert.equal(said('running').out.trim(), '0');
});
