import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '..');

/** What each package may import of the others. */
const allowed: Record<string, readonly string[]> = {
  host: [],
  infra: ['host'],
  labs: ['host'],
  checker: ['host'],
  cli: ['host', 'infra', 'labs', 'checker'],
};

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

interface Import {
  file: string;
  line: string;
  specifier: string;
}

/** Every import of every file, also dynamic ones and those of types, as TypeScript itself finds them. */
function importsOf(folder: string): Import[] {
  const files = globSync(`${folder}/**/*.ts`, { cwd: root, exclude: ['**/node_modules/**', 'infra/sdks/**'] });
  return files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const found = ts.preProcessFile(text).importedFiles;
    return found.map(({ fileName, pos }) => ({
      file,
      specifier: fileName,
      line: `${file}:${text.slice(0, pos).split('\n').length} imports ${fileName}`,
    }));
  });
}

const all = new Map(Object.keys(allowed).map((folder) => [folder, importsOf(folder)]));

test('each package imports only those that it may', () => {
  const wrong = [...all].flatMap(([folder, imports]) => {
    const may = new Set([folder, ...(allowed[folder] ?? [])]);
    const isWrong = ({ specifier }: Import): boolean => {
      const name = /^@handwired\/([a-z]+)/.exec(specifier)?.[1];
      return name !== undefined && !may.has(name);
    };
    return imports.filter(isWrong).map(({ line }) => line);
  });
  assert.deepEqual(wrong, []);
});

/** Ways into the packages, as their package.json has them: an index each, and what only some commands load. */
const entries = Object.keys(allowed).flatMap((folder) => {
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
  const wrong = [...all.values()].flat().filter((each) => leaves(each) || deep(each));
  assert.deepEqual(
    wrong.map(({ line }) => line),
    [],
  );
});

test('each edge of the program has one owner', () => {
  const wrong = [...all.values()].flat().filter(({ file, specifier }) => {
    if (file.endsWith('.test.ts') || file.includes('/testing/')) return false;
    return owners.some(([module, files]) => module.test(specifier) && !files.test(file));
  });
  assert.deepEqual(
    wrong.map(({ line }) => line),
    [],
  );
});

test('the rule has files to look at', () => {
  for (const [folder, imports] of all) assert.ok(imports.length > 0, folder);
});
