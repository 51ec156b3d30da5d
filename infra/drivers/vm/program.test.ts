import assert from 'node:assert/strict';
import test from 'node:test';
import { domainXslt, networkXslt } from './program.ts';

test('a path with XML in it stays text', () => {
  const text = domainXslt('/home/a"b/<c>&{d}/console.log', 'amd64');
  assert.ok(text.includes('path="/home/a&quot;b/&lt;c&gt;&amp;{{d}}/console.log"'));
});

test('a mark with two dashes does not end the comment it stands in', () => {
  assert.ok(!networkXslt('owner=a--b@c').includes('a--b'));
});

test('a machine without a BIOS is started without firmware and without what only a PC has', () => {
  const strip = 'match="/domain/os/@firmware|/domain/features"';
  assert.ok(domainXslt('/console.log', 'arm64').includes(strip));
  assert.ok(!domainXslt('/console.log', 'amd64').includes(strip));
});
