import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Report } from '@handwired/checker';
import { run } from '@handwired/host';
import { withLabs } from '../lab.ts';

const verdicts = (text: string): string[] =>
  (JSON.parse(text) as Report).checks.map(({ id, verdict, points }) => `${id} ${verdict} ${points ?? '-'}`);

test('A recording is graded without the lab host as the lab host was, from a file and from stdin', () =>
  withLabs(async (lab) => {
    assert.equal((await lab('up', 'own', '--driver', 'sandbox')).code, 0);
    assert.equal((await lab('build', 'own')).code, 0);
    const recordings: string[] = [];
    for (const [n, fault] of ['true', 'ip -n ct1 route del default'].entries()) {
      assert.equal((await lab('exec', 'own', '--', ...fault.split(' '))).code, 0);
      const live = await lab('check', 'own', '-o', 'json');
      const taken = await lab('facts', 'own', '-o', 'json');
      assert.deepEqual([live.code, taken.code], [n, 0]);
      recordings.push(join(lab.state, `${n}.json`));
      await writeFile(recordings[n] ?? '', taken.stdout);
      const again = await lab('check', '--facts', recordings[n] ?? '', '-o', 'json');
      assert.deepEqual([again.code, verdicts(again.stdout)], [live.code, verdicts(live.stdout)]);
    }
    const facts = await lab('facts', 'own');
    assert.match(facts.stdout, /namespace ct1\n {2}lo \(loopback\)/);
    const diff = await lab('diff', 'own', '--since', recordings[0] ?? '');
    assert.deepEqual([diff.code, diff.stdout.match(/^ {2}/gm)?.length], [0, 1]);
    assert.match(diff.stdout, /^links\n {2}yours +- route default via 172\.18\.0\.1 dev eth0.* in ct1$/m);
    const since = await lab('diff', 'own', '-o', 'json');
    const { changes } = JSON.parse(since.stdout) as { changes: { owner: string }[] };
    assert.deepEqual([...new Set(changes.map(({ owner }) => owner))], ['yours']);
    assert.equal((await lab('destroy', 'own')).code, 0);
    const command = `'${join(import.meta.dirname, '../../node_modules/.bin/lab')}' check --facts - < ${recordings[0] ?? ''}`;
    const { code, stdout } = await run(['sh', '-c', command], { allowFailure: true });
    assert.equal(code, 0, stdout);
    const altered = (await readFile(recordings[1] ?? '', 'utf8'))
      .replace('"dns"', '"egress"')
      .replace('172.18.0.11', '172.18.0.13');
    await writeFile(recordings[1] ?? '', altered);
    const refused = await lab('check', '--facts', recordings[1] ?? '');
    assert.equal(refused.code, 3);
    assert.match(refused.stdout, /was altered/);
    assert.match(refused.stdout, /not graded/);
  }));
