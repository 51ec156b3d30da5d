/** `make deps` and `make clean` on machines that are played: npm, node and pnpm are scripts that write down how they were called. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';

const root = resolve(import.meta.dirname, '..');
const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

/** What the scripts use of the system. */
const tools = 'sh cat sed sha256sum mkdir rm rmdir mv id flock dirname getent cut tr'.split(' ');

const pnpm = `#!/bin/sh
echo "pnpm $* in $XDG_CACHE_HOME $XDG_DATA_HOME $XDG_STATE_HOME $XDG_RUNTIME_DIR" >>"$CALLS"
[ -z "\${PNPM_FAILS-}" ] || exit 1
mkdir -p node_modules/.bin host/node_modules
for name in node lab; do printf '#!/bin/sh\\necho "lab $*" >>"$CALLS"\\n' >node_modules/.bin/$name; chmod +x node_modules/.bin/$name; done
`;
const npm = `#!/bin/sh
if [ "$1" = --version ]; then echo 9; exit; fi
echo "npm $* in $npm_config_cache, trusts \${NODE_EXTRA_CA_CERTS-}" >>"$CALLS"
[ -z "\${NPM_FAILS-}" ] || exit 1
while [ "$1" != --prefix ]; do shift; done
mkdir -p "$2/node_modules/.bin" "$npm_config_cache"
cp "$MACHINE/pnpm" "$2/node_modules/.bin/pnpm"
`;
const node = `#!/bin/sh
if [ "$1" = -p ]; then echo "\${NODE_MAJOR-20}"; else echo "v\${NODE_MAJOR-20}.0.0"; fi
`;

/** What a script did; `calls` is what npm, pnpm and lab were called with. */
interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
  calls: string;
}

/** A machine with its own PATH, home and checkout of one package. */
class Machine {
  readonly folder: string;
  constructor(folder: string) {
    this.folder = folder;
  }
  path = (...words: string[]): string => join(this.folder, ...words);
  async write(name: string, text: string): Promise<void> {
    await writeFile(this.path('bin', name), text, { mode: 0o755 });
  }
  bootstrap = (env: Record<string, string> = {}): Promise<Run> => this.run('bootstrap.sh', env);
  clean = (env: Record<string, string> = {}): Promise<Run> => this.run('clean.sh', env);
  private async run(script: string, env: Record<string, string>): Promise<Run> {
    await writeFile(this.path('calls'), '');
    const { status, stdout, stderr } = spawnSync('/bin/sh', [this.path('checkout/scripts', script)], {
      encoding: 'utf8',
      env: {
        PATH: this.path('bin'),
        HOME: this.path('home'),
        CALLS: this.path('calls'),
        MACHINE: this.folder,
        SSL_CERT_FILE: this.path('pnpm'),
        ...env,
      },
    });
    return { code: status, stdout, stderr, calls: await readFile(this.path('calls'), 'utf8') };
  }
}

async function playMachine(): Promise<Machine> {
  const machine = new Machine(await mkdtemp(join(tmpdir(), 'handwired-test-')));
  folders.push(machine.folder);
  for (const folder of ['bin', 'home', 'checkout/scripts', 'checkout/host'])
    await mkdir(machine.path(folder), { recursive: true });
  for (const name of ['bootstrap.sh', 'clean.sh', 'folders.sh'])
    await cp(join(root, 'scripts', name), machine.path('checkout/scripts', name));
  for (const name of ['package.json', 'host/package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml'])
    await cp(join(root, name), machine.path('checkout', name));
  for (const tool of [...tools, 'cp', 'chmod', 'printf']) {
    const found = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, tool));
    const file = spawnSync('/bin/sh', [
      '-c',
      'for file; do [ ! -x "$file" ] || { echo "$file"; exit; }; done',
      'sh',
      ...found,
    ]);
    await symlink(file.stdout.toString().trim(), machine.path('bin', tool));
  }
  await writeFile(machine.path('pnpm'), pnpm, { mode: 0o755 });
  await machine.write('npm', npm);
  await machine.write('node', node);
  return machine;
}

describe('make deps', () => {
  let machine: Machine;
  beforeEach(async () => {
    machine = await playMachine();
  });

  it('gets pnpm with npm and the packages with pnpm, and keeps all that they store in our cache', async () => {
    const { code, calls } = await machine.bootstrap();
    assert.equal(code, 0);
    const cache = machine.path('home/.cache/handwired');
    const [first = '', second = '', third] = calls.trim().split('\n');
    assert.ok(first.includes(`in ${cache}/npm, trusts ${machine.path('pnpm')}`), first);
    assert.match(second, /^pnpm install --frozen-lockfile/);
    const [options = '', places = ''] = second.split(' in ');
    assert.ok(options.includes(`--store-dir ${cache}/pnpm/store`), options);
    assert.equal(places.split(' ').filter((place) => place.startsWith(`${cache}/pnpm/`)).length, 4);
    assert.equal(third, undefined);
    assert.deepEqual(await readdir(machine.path('home')), ['.cache', '.local']);
    assert.deepEqual(await readdir(machine.path('home/.cache')), ['handwired']);
  });

  it('asks nobody when nothing has changed, and does it again when something has', async () => {
    await machine.bootstrap();
    const again = await machine.bootstrap({ NPM_FAILS: '1', PNPM_FAILS: '1' });
    assert.deepEqual(again, { code: 0, stdout: '', stderr: '', calls: '' });
    await rm(machine.path('checkout/host/node_modules'), { recursive: true });
    assert.match((await machine.bootstrap()).calls, /^pnpm install/);
    await writeFile(machine.path('checkout/host/package.json'), '{}');
    assert.match((await machine.bootstrap()).calls, /^pnpm install/);
    assert.equal((await machine.bootstrap()).calls, '');
  });

  it('goes on after a failure, and names a next command', async () => {
    const npmFailed = await machine.bootstrap({ NPM_FAILS: '1' });
    assert.equal(npmFailed.code, 3);
    assert.match(npmFailed.stderr, /npm could not get pnpm .*\n {2}next: npm ping && make deps/);
    const pnpmFailed = await machine.bootstrap({ PNPM_FAILS: '1' });
    assert.equal(pnpmFailed.code, 3);
    assert.match(pnpmFailed.stderr, /next: rm -rf node_modules && make deps/);
    const { code, calls } = await machine.bootstrap();
    assert.equal(code, 0);
    assert.match(calls, /^pnpm install/, 'pnpm is there already');
  });

  it('takes the Node 18 of Debian 12 and Ubuntu 24.04, and names what installs one where it is too old or absent', async () => {
    await machine.write('apt-get', '#!/bin/sh\n');
    const next = /next: (sudo )?apt-get update && (sudo )?apt-get install -y nodejs npm\n$/;
    const old = await machine.bootstrap({ NODE_MAJOR: '16' });
    assert.match(old.stderr, /found: v16\.0\.0/);
    assert.match(old.stderr, next);
    await rm(machine.path('bin/node'));
    const none = await machine.bootstrap();
    assert.equal(none.code, 3);
    assert.match(none.stderr, /found: no Node/);
    assert.match(none.stderr, next);
    await rm(machine.path('bin/apt-get'));
    assert.match((await machine.bootstrap()).stderr, /next: install Node 18 or newer with npm: https:/);
    await machine.write('node', node);
    assert.equal((await machine.bootstrap({ NODE_MAJOR: '18' })).code, 0);
  });

  it('names a cache that can not be written, and takes no relative one', async () => {
    await writeFile(machine.path('file'), '');
    const { code, stderr } = await machine.bootstrap({ XDG_CACHE_HOME: machine.path('file') });
    assert.equal(code, 3);
    assert.ok(
      stderr.includes(`cannot write ${machine.path('file')}/handwired\n  next: export XDG_CACHE_HOME=`),
      stderr,
    );
    assert.equal((await machine.bootstrap({ XDG_CACHE_HOME: 'relative' })).code, 0);
    assert.deepEqual(await readdir(machine.path('home/.cache')), ['handwired']);
  });
});

describe('make clean', () => {
  let machine: Machine;
  beforeEach(async () => {
    machine = await playMachine();
  });
  const listHome = (): Promise<string[]> => readdir(machine.path('home'), { recursive: true });

  it('takes away what make deps made, with the folders above it, and leaves those that were there', async () => {
    for (const there of [[], ['.cache'], ['.cache', '.local', '.local/state']]) {
      for (const folder of there) await mkdir(machine.path('home', folder), { recursive: true });
      await machine.bootstrap();
      await mkdir(machine.path('home/.local/state'), { recursive: true });
      const { code, calls } = await machine.clean();
      assert.equal(code, 0);
      assert.equal(calls, 'lab destroy --all\n');
      assert.deepEqual((await listHome()).sort(), there);
      assert.deepEqual((await readdir(machine.path('checkout/host'))).sort(), ['package.json']);
      assert.ok(!(await readdir(machine.path('checkout'))).includes('node_modules'));
    }
  });

  it('keeps what learners did, and says how it goes', async () => {
    await machine.bootstrap();
    await mkdir(machine.path('home/.local/state/handwired/progress'), { recursive: true });
    assert.match((await machine.clean()).stdout, /^kept: .*\/handwired, .*: lab progress --forget --all\n$/);
    assert.ok((await listHome()).includes('.local/state/handwired/progress'));
  });

  it('names the packages that were installed for us and are still there', async () => {
    await machine.write('dpkg-query', '#!/bin/sh\ncase $4 in gone) exit 1 ;; esac\nprintf installed\n');
    await machine.bootstrap();
    await writeFile(machine.path('home/.cache/handwired/installed-packages'), 'gone\nsocat\ntini\n');
    assert.match((await machine.clean()).stdout, /\n {2}(sudo )?apt-get purge socat tini ?\n$/);
    assert.equal((await machine.clean()).stdout, '');
    await machine.bootstrap();
    await writeFile(machine.path('home/.cache/handwired/installed-packages'), 'socat\nsudo\n');
    assert.match((await machine.clean()).stdout, / env SUDO_FORCE_REMOVE=yes apt-get purge socat sudo ?\n$/);
  });
});
