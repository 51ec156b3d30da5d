import assert from 'node:assert/strict';
import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Progress } from '@handwired/labs';
import { withLabs, type Lab } from '../lab.ts';
import { assertClear, builtRight, ready } from './steps.ts';

const progress = async (lab: Lab, name: string): Promise<Progress> => {
  const { code, stdout, stderr } = await lab('progress', name, '-o', 'json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Progress;
};
const chapterOf = async (lab: Lab, name: string, id: string) =>
  (await progress(lab, name)).chapters.find((chapter) => chapter.id === id);

const says = async (lab: Lab, words: string[], ...patterns: RegExp[]): Promise<void> => {
  const { code, stdout, stderr } = await lab(...words);
  assert.equal(code, 0, stderr);
  for (const pattern of patterns) assert.match(stdout, pattern);
};

test('A learner is told what to do now, and what was done stays through reset and destroy until it is forgotten', () =>
  withLabs(async (lab) => {
    await says(lab, ['next', 'own'], /^chapter 00 tour/, /^next: lab up own$/m);
    await ready(lab, 'own');
    await says(lab, ['next', 'own'], /^read: {2}lab guide tour --lab own$/m);
    const fault = join(lab.state, 'handwired/labs/own/fault.json');
    for (const [phase, said] of [
      ['open', /^then: lab fault submit --lab own /m],
      ['revealed', /^next: mend it, or lab fault repair --lab own$/m],
      ['nosuch', /^read: /m],
    ] as const) {
      await writeFile(fault, JSON.stringify({ phase, injectedAt: new Date().toISOString() }));
      await says(lab, ['next', 'own'], said);
    }
    await rm(fault);
    assert.equal((await lab('build', 'own', '--chapter', 'namespaces')).code, 0);
    await builtRight(lab, 'own');
    await says(lab, ['next', 'own'], /^chapter 02 bridge/, /^check: lab check own --chapter bridge$/m);
    assert.equal((await lab('check', 'own', '--chapter', 'bridge', '--hints', '2')).code, 1);
    await says(lab, ['next', 'own'], /^ {2}not yet: .*\(bridge\.\w+\)$/m, /^stuck: .* lab reset own --to bridge$/m);
    await lab('exec', 'own', '--', 'ip', 'netns', 'del', 'ct1');
    assert.equal((await lab('check', 'own', '--chapter', 'namespaces')).code, 1);

    assert.equal((await lab('reset', 'own')).code, 0);
    assert.equal((await lab('destroy', 'own')).code, 0);
    const { points, current } = await progress(lab, 'own');
    assert.deepEqual({ points, current }, { points: 5, current: 'bridge' });
    const { state, shown, attempts, points: both } = (await chapterOf(lab, 'own', 'namespaces')) ?? {};
    assert.deepEqual({ state, shown, attempts }, { state: 'passed', shown: true, attempts: 2 });
    assert.ok(both?.best === 5 && both.last < 5, JSON.stringify(both));
    assert.equal((await chapterOf(lab, 'own', 'bridge'))?.hints, 1);
    await says(lab, ['next', 'own'], /there is no lab named own\nnext: lab up own\nthen: lab reset own --to bridge/);
    await says(lab, ['progress', 'own'], /^01 namespaces +passed\* +5\/5 +\d/m);
    await says(lab, ['progress', 'own', '--forget'], /is forgotten/);
    await assert.rejects(access(join(lab.state, 'handwired')));
  }));

test('A reset to a chapter puts right what comes before it, also after one that was killed or interrupted', () =>
  withLabs(async (lab) => {
    await ready(lab, 'own');
    await lab('exec', 'own', '--', 'ip', 'link', 'add', 'br0', 'type', 'dummy');
    await says(lab, ['reset', 'own', '--to', 'addressing'], /^next: lab guide addressing --lab own$/m);
    assert.equal((await lab('check', 'own', '--through', 'veth')).code, 0);
    assert.equal((await lab('check', 'own', '--chapter', 'addressing')).code, 1);

    const killed = lab.start(['reset', 'own', '--to', 'cleanup']);
    await killed.shows(/baseline taken/);
    killed.kill('SIGKILL');
    await killed.ended;
    const interrupted = lab.start(['reset', 'own', '--to', 'cleanup']);
    await interrupted.shows(/baseline taken/);
    interrupted.kill('SIGINT');
    assertClear(
      await interrupted.ended,
      130,
      /interrupted/,
      /lab (build own --through publish|reset own --to cleanup) /,
    );
    await says(lab, ['reset', 'own', '--to', 'cleanup']);
    assert.equal((await lab('check', 'own', '--through', 'publish')).code, 0);
    await says(lab, ['reset', 'own', '--to', 'namespaces']);
    assert.equal((await lab('exec', 'own', '--', 'test', '-e', '/run/netns/ct1')).code, 1);
  }));

test('What can not be meant is refused with the next command', () =>
  withLabs(async (lab) => {
    assertClear(await lab('reset', 'none', '--to', 'veth'), 78, /there is no lab named none/, /lab up none/);
    assertClear(await lab('reset', '--to', 'vteh'), 64, /unknown chapter 'vteh' \(did you mean veth\?\)/, /lab /);
    assertClear(await lab('progress', '--forget', '-o', 'json'), 64, /cannot be used with/, /lab progress --help/);
    assertClear(await lab('next', '../x'), 64, /can't be a lab's name/, /lab up my-lab/);
    assertClear(await lab('progress', '--all'), 64, /--all goes with --forget/, /lab progress --help/);
    assertClear(await lab('export', '--lab', 'none'), 78, /there is no lab named none/, /lab up none/);
    assertClear(await lab('export', '--through', 'tour'), 64, /nothing is built/, /--through namespaces/);
    assertClear(await lab('export', 'own'), 64, /too many arguments/, /lab export --help/);
    assertClear(await lab('next', 'one', 'two'), 64, /too many arguments/, /lab next --help/);
  }));

test('A history that was damaged or forged breaks nothing, and what is in it drives no terminal', () =>
  withLabs(async (lab) => {
    const words = { id: 'dns.\u001b[31mred', title: 'It\u0007 is', actual: 'not\n\u202eso' };
    const failed = { kind: 'check', at: 'never', chapter: 'namespaces', verdict: 'fail', points: 0, of: 5, hints: 1 };
    const folder = join(lab.state, 'handwired/progress');
    await mkdir(folder, { recursive: true });
    await writeFile(
      join(folder, 'own.jsonl'),
      `\0{"kind"\n${JSON.stringify({ ...failed, first: words })}\n{"kind":"check"`,
    );
    const { stdout } = await lab('next', 'own');
    assert.match(stdout, /^ {2}not yet: It {1,2}is \(dns\.red\)\n {2}found: {3}not +so$/m);
    assert.doesNotMatch(stdout, /[^\n -~]/);
    await says(lab, ['progress', 'own'], /^01 namespaces +begun +0\/5 +0 +1 +0 +0s$/m);
  }));
