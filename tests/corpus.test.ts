import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { checks } from '../checker/testing/fixtures.ts';
import { allCases } from './corpus/cases.ts';
import { duties } from './corpus/matrix.ts';
import { pairwise } from './corpus/pairwise.ts';
import { sampleOf } from './corpus/sample.ts';

const cases = allCases();
const kind = (name: 'pass' | 'fails' | 'same') => cases.filter(({ expected }) => name in expected);

describe('the corpus', () => {
  it('has enough right builds and wrong ones, each with a name of its own', () => {
    const builds = kind('pass').filter(({ grades }) => grades === 'build');
    assert.ok(builds.length >= 60, `${builds.length} right builds`);
    assert.ok(kind('fails').length >= 200, `${kind('fails').length} wrong ones`);
    assert.equal(new Set(cases.map(({ id }) => id)).size, cases.length);
  });

  it('has a fault for every check, and none for a check that there is not', () => {
    const idle = [...duties(cases)].filter(([, list]) => list.length === 0).map(([id]) => id);
    assert.deepEqual(idle, []);
    const known = new Set(checks.map(({ id }) => id));
    const unknown = cases.filter(({ expected }) => 'fails' in expected && !known.has(expected.fails));
    assert.deepEqual(unknown, []);
  });

  it('is what docs/grading.md says: a row for each check, and each fault under the check that must catch it', async () => {
    const text = await readFile(new URL('../docs/grading.md', import.meta.url), 'utf8');
    const next = 'next: cd tests && node --run corpus -- --write';
    for (const [id, list] of duties(cases)) {
      const row = text.split('\n').find((line) => line.startsWith(`| ${id} | `));
      // A check that brings its own breakage comes into the file with the next run of the whole corpus.
      if (row === undefined && checks.some((check) => check.id === id && check.breaks)) continue;
      assert.equal(row?.split(' | ')[2], String(list.length), `${id}: ${next}`);
      const told = text.split(`### ${id}\n\n`)[1]?.split('\n\n')[0]?.split('\n');
      assert.deepEqual(
        told,
        list.map((one) => `- ${one.id}`),
        next,
      );
      assert.notEqual(row.split(' | ')[3], '0', `${id} failed for nothing: ${next}`);
      assert.match(row, /\| 0 \|$/, `${id} failed for a right build: ${next}`);
    }
    for (const one of kind('same')) assert.ok(text.includes(`- ${one.id}: `), `${one.id}: ${next}`);
  });

  it('has a sample of 40 with every class of faults in it', () => {
    const sample = sampleOf(cases, 40);
    const classes = (list: typeof cases) => new Set(list.map((one) => one.class));
    assert.equal(sample.length, 40);
    assert.deepEqual(classes(sample), classes(cases));
    assert.ok(sample.some(({ class: name, grades }) => name === 'right' && grades === 'build'));
  });
});

describe('pairwise', () => {
  it('has every pair of values of any two factors', () => {
    const lists = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 2, maxLength: 8 });
    const property = fc.property(lists, (sizes) => {
      const rows = pairwise(sizes);
      for (const [a, x] of sizes.entries()) {
        for (const [b, y] of sizes.slice(a + 1).entries()) {
          const pairs = new Set(rows.map((row) => `${row[a] ?? ''} ${row[a + 1 + b] ?? ''}`));
          assert.equal(pairs.size, x * y);
        }
      }
    });
    fc.assert(property, { numRuns: 50 });
  });

  it('has them in far fewer rows than all combinations', () => {
    assert.ok(pairwise([4, 3, 3, 2, 2]).length <= 12, 'of 144');
  });
});
