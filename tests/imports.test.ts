import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { root } from '../scripts/files.ts';
import { findCircles, type Import, packages, readImports } from '../scripts/imports.ts';

/** Edges of the program: the only files, tests aside, that may import these modules. */
const owners: [module: RegExp, files: RegExp][] = [
  [/^ssh2$/, /^host\/session-ssh\.ts$/],
  [/^execa$/, /^host\/process\.ts$/],
  [/^(node:)?child_process$/, /^host\/process\.ts$/],
  [/^zx(\/|$)/, /^host\/shell\.ts$/],
  [/^@pulumi\//, /^infra\/drivers\/vm\//],
  [/^@pulumi\/pulumi\/automation/, /^infra\/drivers\/vm\/[a-z]+\.ts$/],
  [/^commander$/, /^cli\//],
];

/** Whether a file is a test or is used only by tests: such files may import everything. */
const isTest = (file: string): boolean => file.endsWith('.test.ts') || file.includes('/testing/');

const all = new Map(Object.keys(packages).map((folder) => [folder, readImports(folder)]));

test('each package imports only those that it may', () => {
  const wrong = [...all].flatMap(([folder, imports]) => {
    const may = new Set([folder, ...(packages[folder] ?? [])]);
    const isWrong = ({ specifier }: Import): boolean => {
      const name = /^@handwired\/([a-z]+)/.exec(specifier)?.[1];
      return name !== undefined && !may.has(name);
    };
    return imports.filter(isWrong).map(({ line }) => line);
  });
  assert.deepEqual(wrong, []);
});

/** Ways into the packages, as their package.json has them: an index each, and what only some commands load. */
const entries = Object.keys(packages).flatMap((folder) => {
  const { name, exports } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Package;
  return Object.keys(exports ?? {}).map((path) => name + path.slice(1));
});

interface Package {
  name: string;
  exports?: Record<string, string>;
}

test('a package is entered by a way in that it names, never by a path into it', () => {
  const leaves = ({ file, specifier }: Import): boolean =>
    specifier.startsWith('.') &&
    relative(root, resolve(root, dirname(file), specifier)).split('/')[0] !== file.split('/')[0];
  const deep = ({ specifier }: Import): boolean => specifier.startsWith('@handwired/') && !entries.includes(specifier);
  const wrong = [...all.values()].flat().filter((each) => !isTest(each.file) && (leaves(each) || deep(each)));
  assert.deepEqual(
    wrong.map(({ line }) => line),
    [],
  );
});

test('each edge of the program has one owner', () => {
  const wrong = [...all.values()].flat().filter(({ file, specifier }) => {
    return !isTest(file) && owners.some(([module, files]) => module.test(specifier) && !files.test(file));
  });
  assert.deepEqual(
    wrong.map(({ line }) => line),
    [],
  );
});

/** The parts of checker in order: each may import only from the parts before it. */
const layers = [
  'remote.ts',
  'record.ts',
  'facts',
  'evidence',
  'queries',
  'checks.ts',
  'judge',
  'diagnosis',
  'report',
  'grading',
  'packets',
  'compare',
  'show',
  'schemas.ts',
  'index.ts',
];

test("checker's folders import in one direction only", () => {
  const layerOf = (file: string): number => layers.indexOf(file.split('/')[1] ?? '');
  const own = (all.get('checker') ?? []).filter(({ file }) => !isTest(file));
  const wrong = own.filter(
    ({ file, target }) =>
      target?.startsWith('checker/') && (isTest(target) || layerOf(target) < 0 || layerOf(target) > layerOf(file)),
  );
  assert.deepEqual(
    wrong.map(({ line }) => line),
    [],
  );
  const there = readdirSync(join(root, 'checker')).filter(
    (name) => !name.includes('.test.') && name !== 'package.json',
  );
  const others = ['fixtures', 'node_modules', 'testing'];
  assert.deepEqual(
    there.filter((name) => !others.includes(name)).sort(),
    [...layers].sort(),
    'the list names all that there is',
  );
});

test('no files import one another in a circle, types counted', () => {
  assert.deepEqual(findCircles([...all.values()].flat()), []);
});

test('the rule has files to look at', () => {
  for (const [folder, imports] of all) assert.ok(imports.length > 0, folder);
});
