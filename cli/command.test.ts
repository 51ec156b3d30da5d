import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT, LabError } from '@handwired/host';
import {
  type ChapterFlags,
  resolveLabName,
  createWordParser,
  parseChapter,
  parseCondition,
  parseDriver,
  parseMemory,
  renderChapterFlags,
} from './command.ts';

const usage = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof LabError);
  assert.equal(error.exit, EXIT.usage);
  assert.match(error.message, pattern);
  return true;
};

test('a chapter that is nearly right is named in the error', () => {
  assert.throws(() => parseChapter('egres'), usage(/unknown chapter 'egres' \(did you mean egress\?\)/));
});

test('a word that resembles nothing gets the list and no guess', () => {
  assert.throws(() => parseDriver('kubernetes-operator'), usage(/^unknown driver 'kubernetes-operator'; it is one of/));
});

test('a guess shares letters with what was typed, in whatever case that was', () => {
  assert.throws(() => createWordParser('level', ['0', '1'])('4'), usage(/^unknown level '4'; it is/));
  assert.throws(() => parseDriver(''), usage(/^unknown driver ''; it is/));
  assert.throws(() => createWordParser('format', ['text', 'json'])('JSON'), usage(/did you mean json/));
});

test('a known word is returned as it is', () => {
  assert.equal(createWordParser('format', ['text', 'json'])('json'), 'json');
});

test('a name that is no DNS label is refused before it becomes a path', () => {
  for (const bad of ['', '-a', 'a-', 'A', '../../etc', 'a.b', 'a_b', 'x'.repeat(33), 'a\nb']) {
    assert.throws(() => resolveLabName(bad), usage(/can't be a lab's name/), JSON.stringify(bad));
  }
});

test('the default name is lab', () => {
  assert.equal(resolveLabName(), 'lab');
});

test('conditions collect, and each key and value is checked', () => {
  const both = parseCondition('resolver=file', parseCondition('forward-policy=drop'));
  assert.deepEqual(both, { 'forward-policy': 'drop', resolver: 'file' });
  assert.throws(() => parseCondition('forward-polcy=drop'), usage(/did you mean forward-policy/));
  assert.throws(() => parseCondition('bridge-nf=2'), usage(/unknown value of bridge-nf '2'/));
  assert.throws(() => parseCondition('bridge-nf'), usage(/bridge-nf=0\|1/));
});

test('memory is a whole number of MiB that this machine has', () => {
  assert.equal(parseMemory('256'), 256);
  for (const bad of ['1', '-5', '1e9', '512M', '99999999', ''])
    assert.throws(() => parseMemory(bad), usage(/--memory/));
});

test('what was selected is typed again by the same flags', () => {
  assert.deepEqual(
    [{}, { chapter: 'dns' }, { through: 'veth' }].map((one) => renderChapterFlags(one as ChapterFlags)),
    ['', ' --chapter dns', ' --through veth'],
  );
});
