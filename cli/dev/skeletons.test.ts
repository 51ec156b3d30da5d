import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { chapterIds } from '@handwired/host';
import { parseSync } from 'oxc-parser';
import {
  readCauseLists,
  idPatterns,
  kinds,
  type Skeleton,
  writeCause,
  writeChapter,
  writeCheck,
  writeFault,
} from './skeletons.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** The text of each file of a skeleton, with its place in the present one found. */
const textsOf = ({ changes }: Skeleton): [path: string, text: string][] => {
  const skeletonMoves = changes.filter((change) => 'move' in change);
  return changes.flatMap((change): [string, string][] => {
    if ('write' in change) return [[change.write, change.text]];
    if ('move' in change) return [];
    const moved = skeletonMoves.find(({ to }) => change.change.startsWith(`${to}/`));
    const path = moved ? moved.move + change.change.slice(moved.to.length) : change.change;
    const text = change.edit(read(path));
    assert.ok(text !== undefined, `${change.change} has no place for an entry`);
    return [[change.change, text]];
  });
};

const skeletons: [title: string, skeleton: Skeleton][] = [
  ...chapterIds
    .filter((id) => id !== 'tour')
    .map((id): [string, Skeleton] => [`check of ${id}`, writeCheck(`${id}.new-one`)]),
  ...[...readCauseLists(root)].map(([list, path]): [string, Skeleton] => [
    `cause in ${list}`,
    writeCause('new-one', list, path),
  ]),
  ['fault', writeFault('new-one')],
  ['chapter', writeChapter('newone')],
];

for (const [title, skeleton] of skeletons) {
  test(`The skeleton of a ${title} fits into the files that there are, is TypeScript, and says what to fill in`, () => {
    const texts = textsOf(skeleton);
    for (const [path, text] of texts.filter(([name]) => name.endsWith('.ts'))) {
      assert.deepEqual(parseSync(path, text).errors, [], path);
    }
    assert.ok(texts.some(([, text]) => text.includes('TODO')));
    assert.ok(texts.some(([, text]) => text.includes('new-one') || text.includes('newone')));
  });
}

test('The example of an id is one', () => {
  for (const kind of kinds) assert.match(idPatterns[kind].like, idPatterns[kind].pattern);
});
