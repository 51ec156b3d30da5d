import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import { exists, run } from '@handwired/host';
import { writeRoster } from '../fleet/roster.ts';
import { labCommand, withLabs, type Lab } from '../lab.ts';
import { assertClear, builtRight, ready, sandbox } from './steps.ts';

interface Spec {
  phase: string;
  instance: string;
}

const specOf = async (lab: Lab, name: string): Promise<Spec> =>
  JSON.parse(await readFile(join(lab.state, 'handwired/labs', name, 'lab.json'), 'utf8')) as Spec;

/** Waits until a path is there, at most 20 s. */
async function waitForFile(path: string): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await exists(path))) {
    assert.ok(Date.now() < end, `${path} does not come`);
    await after(5);
  }
}

test('two ups of one lab at once both end well, and there is one lab', async () => {
  await withLabs(async (lab) => {
    const both = await Promise.all([lab('up', 'own', ...sandbox), lab('up', 'own', ...sandbox)]);
    for (const { code, stderr } of both) assert.equal(code, 0, stderr);
    const { stdout } = await lab('status', '-o', 'json');
    const { labs } = JSON.parse(stdout) as { labs: { state: string }[] };
    assert.deepEqual(
      labs.map(({ state }) => state),
      ['up'],
    );
  });
});

test('a lab of the same name in another state folder is another lab, and waits for nothing', async () => {
  await withLabs(async (one) => {
    await withLabs(async (other) => {
      const both = await Promise.all([one, other].map((lab) => lab('up', 'own', ...sandbox)));
      for (const { code, stderr } of both) {
        assert.equal(code, 0, stderr);
        assert.doesNotMatch(stderr, /waiting/);
      }
    });
  });
});

test('up with other flags than the lab was made with is refused, and names them', async () => {
  await withLabs(async (lab) => {
    await ready(lab, 'own', '--condition', 'forward-policy=drop');
    const other = await lab('up', 'own', '--condition', 'forward-policy=accept', '--driver', 'vm');
    assertClear(
      other,
      78,
      /--driver is sandbox, asked for vm; forward-policy is drop, asked for accept/,
      /lab destroy own/,
    );
    await ready(lab, 'own');
  });
});

test('an up that is killed at any moment goes on with the next up, and its baseline is untouched', async () => {
  await withLabs(async (lab) => {
    for (const moment of [250, 500, 750, 1100]) {
      const up = lab.start(['up', 'own', ...sandbox]);
      await Promise.race([after(moment), up.ended]);
      up.kill('SIGKILL');
      await up.ended;
      assert.equal((await lab('status')).code, 0);
      await ready(lab, 'own');
      const { code, stdout } = await lab('check', 'own');
      assert.equal(code, 2, stdout);
      assert.equal((await lab('destroy', 'own')).code, 0);
    }
  });
});

test('Ctrl-C in an up ends it with 130 and says what goes on; what is half made can be destroyed', async () => {
  await withLabs(async (lab) => {
    const up = lab.start(['up', 'own', ...sandbox]);
    await waitForFile(join(lab.state, 'handwired/labs/own/sandbox'));
    up.kill('SIGINT');
    assertClear(await up.ended, 130, /interrupted \(SIGINT\)/, /lab up own/);
    const { code, stdout } = await lab('destroy', 'own');
    assert.equal(code, 0);
    assert.match(stdout, /^lab own is gone; removed:/);
    assert.match((await lab('status')).stdout, /there is no lab/);
  });
});

test('Ctrl-C in an up that has made nothing yet leaves no lab', async () => {
  await withLabs(async (lab) => {
    const up = lab.start(['up', 'own', ...sandbox]);
    await up.shows(/driver sandbox/);
    up.kill('SIGINT');
    assertClear(await up.ended, 130, /interrupted \(SIGINT\)/, /lab up own/);
    // Whether anything was made by then is a matter of milliseconds.
    assert.ok([0, 78].includes((await lab('destroy', 'own')).code ?? -1));
    assert.match((await lab('status')).stdout, /there is no lab/);
  });
});

test('a build and an undo that are killed at any moment go on', async () => {
  await withLabs(async (lab) => {
    await ready(lab, 'own');
    for (const chapter of ['02', '04', '08']) {
      const build = lab.start(['build', 'own']);
      await build.shows(new RegExp(`^${chapter} `, 'm'));
      build.kill(chapter === '04' ? 'SIGTERM' : 'SIGKILL');
      await build.ended;
      assert.equal((await lab('build', 'own')).code, 0);
      await builtRight(lab, 'own');
      const undo = lab.start(['undo', 'own']);
      await undo.shows(new RegExp(`^${chapter} `, 'm'));
      undo.kill('SIGKILL');
      await undo.ended;
      assert.equal((await lab('undo', 'own', '--all')).code, 0);
      await builtRight(lab, 'own');
    }
  });
});

test('a check that is killed harms nothing', async () => {
  await withLabs(async (lab) => {
    await ready(lab, 'own');
    assert.equal((await lab('build', 'own')).code, 0);
    for (const moment of [300, 600, 900]) {
      const check = lab.start(['check', 'own']);
      await Promise.race([after(moment), check.ended]);
      check.kill('SIGKILL');
      await check.ended;
    }
    await builtRight(lab, 'own');
  });
});

test('a destroy that is killed goes on with the next destroy, and an up after it starts from nothing', async () => {
  await withLabs(async (lab) => {
    for (const next of ['destroy', 'up']) {
      for (const moment of [250, 400]) {
        await ready(lab, 'own');
        const { instance } = await specOf(lab, 'own');
        assert.equal((await lab('build', 'own', '--chapter', 'bridge')).code, 0);
        const destroy = lab.start(['destroy', 'own']);
        await Promise.race([after(moment), destroy.ended]);
        destroy.kill('SIGKILL');
        const gone = (await destroy.ended).code === 0;
        if (next === 'destroy') assert.equal((await lab('destroy', 'own')).code, gone ? 78 : 0);
        else {
          await ready(lab, 'own');
          const now = await specOf(lab, 'own');
          assert.equal((await lab('check', 'own')).code, now.instance === instance ? 0 : 2);
        }
      }
    }
  });
});

test('a reset that is killed never takes what the learner built as the baseline', async () => {
  await withLabs(async (lab) => {
    for (const moment of [300, 600, 900]) {
      await ready(lab, 'own');
      assert.equal((await lab('build', 'own', '--chapter', 'bridge')).code, 0);
      const reset = lab.start(['reset', 'own']);
      await Promise.race([after(moment), reset.ended]);
      reset.kill('SIGKILL');
      await reset.ended;
      const cutOff = (await specOf(lab, 'own')).phase === 'resetting';
      await ready(lab, 'own');
      const { code, stdout } = await lab('check', 'own');
      assert.ok(code === 2 || (code === 0 && !cutOff), stdout);
      const { stdout: links } = await lab('exec', 'own', '--', 'ip', '-br', 'link', 'show', 'type', 'bridge');
      assert.equal(links.includes('br0'), code === 0);
    }
  });
});

test('a lab host that was ended is named as such, and up mends it', async () => {
  await withLabs(async (lab) => {
    await ready(lab, 'own');
    const { stdout } = await lab('status', 'own', '-o', 'json');
    const pid = Number(/init process (\d+)/.exec(stdout)?.[1]);
    process.kill(pid, 'SIGKILL');
    for (const words of [
      ['build', 'own'],
      ['exec', 'own', '--', 'true'],
    ]) {
      const ended = await lab(...words);
      assertClear(ended, 3, /own/, /lab (up|reset|status) own/);
    }
    const check = await lab('check', 'own');
    assert.equal(check.code, 3);
    assert.match(check.stdout, /init\s+process\s+\d+\s+is\s+gone.*Next:\s+lab\s+up\s+own.*not graded/s);
    assert.doesNotMatch(check.stdout, /^ +(ok|FAIL) /m);
    assert.match((await lab('status')).stdout, /broken/);
    await ready(lab, 'own');
    assert.equal((await lab('build', 'own')).code, 0);
    await builtRight(lab, 'own');
  });
});

test('a learner who breaks the way in is graded all the same, is told to reset, and the reset works', async () => {
  await withLabs(async (lab) => {
    await ready(lab, 'own');
    assert.equal(
      (await lab('exec', 'own', '--', 'rm -f /etc/handwired/sshd_config /etc/handwired/authorized_keys')).code,
      0,
    );
    assert.equal(
      (await lab('check', 'own')).code,
      2,
      'nothing was built, and the grader needs no sshd of the lab host',
    );
    assertClear(await lab('exec', 'own', '--', 'true'), 3, /own/, /lab (up|reset|status) own/);
    assert.equal((await lab('reset', 'own')).code, 0);
    assert.equal((await lab('exec', 'own', '--', 'true')).code, 0);
    assert.equal((await lab('check', 'own')).code, 2);
  });
});

test('a lab host whose processes all stand still can be reset and destroyed', async () => {
  await withLabs(async (lab) => {
    await ready(lab, 'own');
    for (const words of [
      ['reset', 'own'],
      ['destroy', 'own'],
    ]) {
      const freeze = lab.start(['exec', 'own', '--', 'kill -STOP -1']);
      await Promise.race([after(1500), freeze.ended]);
      const { code, stderr } = await lab(...words);
      assert.equal(code, 0, stderr);
      await freeze.ended;
    }
  });
});

test('a state folder that can not be written, or is full, is named with what to do', async () => {
  await withLabs(async (lab) => {
    const home = await lab.start(['status'], { HOME: '/dev/null', XDG_CACHE_HOME: '', XDG_STATE_HOME: '' }).ended;
    assert.ok(home.code === 0 || /next: /.test(home.stderr), home.stderr);
    for (const [options, problem] of [
      ['ro', /cannot write/],
      ['size=4k', /no space left|ENOSPC/],
    ] as const) {
      const mounted = `mount -t tmpfs -o ${options} none '${lab.state}' && exec '${labCommand}' up own --driver sandbox`;
      const argv = ['unshare', '--mount', 'sh', '-c', mounted];
      const { code, stderr } = await run(argv, { allowFailure: true, env: { XDG_STATE_HOME: lab.state } });
      assert.equal(code, 3, stderr);
      assert.match(stderr, problem);
      assert.match(stderr, /next: /);
    }
  });
});

test('a damaged spec is read from its spare; with both damaged status says so, up harms nothing, and destroy removes all', async () => {
  await withLabs(async (lab) => {
    await ready(lab, 'own');
    const [file = '', spare = ''] = ['lab.json', 'lab.spare.json'].map((one) =>
      join(lab.state, 'handwired/labs/own', one),
    );
    await writeFile(file, (await readFile(file, 'utf8')).slice(0, 40));
    assert.equal((await lab('exec', 'own', '--', 'true')).code, 0);
    await rm(spare);
    assert.match((await lab('status')).stdout, /own +\? +damaged/);
    assertClear(await lab('up', 'own', ...sandbox), 3, /damaged/, /lab destroy own/);
    await rm(file);
    assertClear(await lab('up', 'own', ...sandbox), 3, /damaged/, /lab destroy own/);
    const { code, stdout } = await lab('destroy', 'own');
    assert.equal(code, 0);
    assert.match(stdout, /process \d+ with its namespaces/);
    assert.match((await lab('status')).stdout, /there is no lab/);
  });
});

test('a lab whose endpoint file is damaged or gone is mended by up, and nothing that was built is lost', async () => {
  await withLabs(async (lab) => {
    await ready(lab, 'own');
    assert.equal((await lab('build', 'own', '--chapter', 'bridge')).code, 0);
    const file = join(lab.state, 'handwired/labs/own/endpoint.json');
    for (const damage of [() => writeFile(file, '{'), () => rm(file)]) {
      await damage();
      assertClear(await lab('check', 'own'), 3, /endpoint\.json|how to reach it/, /lab up own/);
      await ready(lab, 'own');
      await builtRight(lab, 'own');
    }
  });
});

test('doctor, setup and up name the same driver for --driver auto, with the same reason', async () => {
  await withLabs(async (lab) => {
    const { stdout } = await lab('doctor', '-o', 'json');
    const { findings } = JSON.parse(stdout) as { findings: { subject: string; detail: string }[] };
    const choice = findings.find(({ subject }) => subject === 'lab up takes')?.detail ?? '';
    assert.match(choice, /^(sandbox|vm): .*lab up --driver (sandbox|vm)$/);
    for (const words of [['setup'], ['up', 'own'], ['fleet', 'up', await writeRoster(lab, ['ann'])]]) {
      const { stderr } = await lab(...words);
      assert.ok(stderr.split('\n').includes(`driver ${choice}`), stderr);
    }
  });
});
