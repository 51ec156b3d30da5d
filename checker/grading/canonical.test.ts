import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson, digestOfJson } from './canonical.ts';

test("Canonical JSON is RFC 8785's: names by their UTF-16 units, ECMAScript's numbers and escapes, no spaces", () => {
  // From the RFC, 3.2.2 and 3.2.3.
  const value = {
    numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '\u20ac$\u000f\nA\'B"\\\\"/',
    literals: [null, true, false],
  };
  assert.equal(
    canonicalJson(value),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
  const names = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 };
  assert.equal(canonicalJson(names), '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"\u{1f600}":5,"\ufb33":3}');
});

test('A digest does not depend on the order of names, nor on what is undefined, and on all else', () => {
  const digest = digestOfJson({ a: 1, b: { c: [1, 2], d: undefined } });
  assert.equal(digest, digestOfJson({ b: { c: [1, 2] }, a: 1 }));
  assert.equal(digest, digestOfJson(JSON.parse(JSON.stringify({ a: 1, b: { c: [1, 2] } }))));
  for (const other of [
    { a: 1, b: { c: [2, 1] } },
    { a: '1', b: { c: [1, 2] } },
    { a: 1, b: { c: [1, 2], d: null } },
  ]) {
    assert.notEqual(digest, digestOfJson(other));
  }
});

test('A name of bytes that are no UTF-8 has a digest: Python gives a lone surrogate for each', () => {
  assert.equal(canonicalJson({ path: 'a\udcff' }), '{"path":"a\\udcff"}');
});
