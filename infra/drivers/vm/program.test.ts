import assert from 'node:assert/strict';
import test from 'node:test';
import { domainXslt, networkXslt } from './program.ts';

test('a path with XML in it stays text', () => {
  const text = domainXslt('/home/a"b/<c>&{d}/console.log');
  assert.ok(text.includes('path="/home/a&quot;b/&lt;c&gt;&amp;{{d}}/console.log"'));
});

test('a mark with two dashes does not end the comment it stands in', () => {
  assert.ok(!networkXslt('owner=a--b@c').includes('a--b'));
});
