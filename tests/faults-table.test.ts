import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { faults } from '@handwired/labs/faults';

test('docs/faults.md has a row for each fault, with its cause, and no cell of it is empty', () => {
  const text = readFileSync(new URL('../docs/faults.md', import.meta.url), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  assert.deepEqual(
    rows.map((row) => row.split('`')[1]),
    faults.map(({ id }) => id).toSorted(),
    'next: lab dev check ID, for each that has no row',
  );
  for (const { id, cause } of faults) {
    const row = rows.find((one) => one.startsWith(`| \`${id}\``)) ?? '';
    const cells = row.split(/(?<!\\)\|/).slice(1, -1);
    assert.equal(cells.length, 5, id);
    for (const cell of cells) assert.notEqual(cell.trim(), '', id);
    assert.ok(cells[3]?.includes(`\`${cause}\` at `), id);
    assert.match(cells[2] ?? '', /\w/, id);
  }
});
