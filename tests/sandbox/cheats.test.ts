import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderReport, type Report } from '@handwired/checker';
import { rightBuild } from '../cheats/cheat.ts';
import { naiveCheck } from '../cheats/naive/checker.ts';
import { cheats } from '../cheats/registry.ts';
import { misses, withGraded } from './grading.ts';

test('The naive checker says pass of a right build, and finds nearly everything wrong where there is none', () =>
  withGraded({}, async ({ host, type }) => {
    assert.equal((await naiveCheck(host.session)).length, 13, "there is a NAT rule that is not the learner's");
    await type(rightBuild);
    assert.deepEqual(await naiveCheck(host.session), []);
  }));

test('A right build by a learner who has set up a shell to their liking passes, and has no findings', () =>
  withGraded({}, async ({ type, check }) => {
    await type(`${rightBuild}
printf 'alias ll="ls -l" ip="ip --color"\nPATH=$PATH:/root/bin\ngreet() { echo hello; }\n' >>/root/.bashrc
mkdir /root/bin
printf '#!/bin/sh\nexec ip netns exec ct1 "$@"\n' >/usr/local/bin/in-ct1
chmod +x /usr/local/bin/in-ct1`);
    const report = await check();
    assert.deepEqual([misses(report), report.integrity.findings], [[], []]);
  }));

for (const { name, what, script, naive, caught, seen, rest } of cheats) {
  test(`Caught: ${name} (${what})`, (t) =>
    withGraded({}, async ({ host, type, check }) => {
      const output = await type(script);
      if (naive === 'pass') assert.deepEqual(await naiveCheck(host.session), [], output);
      if (rest !== undefined) await host.sh(`until ${rest}; do sleep 0.05; done`);
      const start = performance.now();
      const report = await check({ through: 'publish' });
      t.diagnostic(`${Math.round(performance.now() - start)} ms`);
      const told = textsOf(report);
      const missed = misses(report).map((miss) => miss.split(':')[0] ?? '');
      assert.deepEqual(
        caught.filter((id) => !missed.includes(id)),
        [],
        `these pass; not: ${missed.join(', ')}`,
      );
      if (caught.length === 0) assert.deepEqual(misses(report), [], told);
      assert.match(told, seen);
      assert.doesNotMatch(
        renderReport(report, 'text', { color: false, columns: 100 }),
        /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/,
      );
    }));
}

/** All that a report says of what was seen, once each. */
function textsOf({ checks, integrity }: Report): string {
  const said = checks.flatMap(({ actual, evidence, hint, because }) => [actual, ...evidence, hint, because]);
  return [...new Set([...integrity.findings.map(({ what }) => what), ...said])].join('\n');
}
