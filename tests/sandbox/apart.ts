import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@handwired/host';
import { labCommand } from '../lab.ts';

/** What a command said, and its exit code. */
export interface Said {
  code: number;
  out: string;
  err: string;
}

/**
 * Runs lines of a script in which `lab` is our command, with the state folder `$1/state` on a disk of 2 MiB. `say NAME
 * COMMAND...` keeps what the command said, which is returned by its name. All is in a mount namespace of its own: the disk
 * ends with it, and no other `lab` takes a lab of ours for one that has lost its state.
 */
export async function runApart(lines: string): Promise<(name: string) => Said> {
  const top = await mkdtemp(join(tmpdir(), 'handwired-test-'));
  const script = `set -u
mkdir "$1/state" "$1/said"
mount -t tmpfs -o size=2m none "$1/state"
say() { echo "begin $2" >&2; at="$1/said/$2"; shift 2; "$@" >"$at.out" 2>"$at.err"; echo $? >"$at.code"; }
${lines.replaceAll(/^say /gm, 'say "$1" ').replaceAll(/ lab /g, ' "$2" ')}
mount -o remount,rw "$1/state"
export XDG_STATE_HOME="$1/state"
rm -f "$1/state/ballast"
"$2" destroy --all >&2
ls "$1/said"`;
  const seen: string[] = [];
  try {
    const inside = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', top, labCommand];
    const { stdout } = await run(inside, {
      env: { XDG_STATE_HOME: join(top, 'state') },
      timeoutMs: 120_000,
      onLine: (line) => seen.push(line),
    });
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
  } catch (error) {
    throw new Error(`the script did not end well: ${seen.join('; ')}`, { cause: error });
  } finally {
    await rm(top, { recursive: true, force: true });
  }
}
