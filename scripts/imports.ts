/** What the packages' files import of one another: for scripts/hops.ts and tests/imports.test.ts. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseSync, type StringLiteral, Visitor } from 'oxc-parser';
import { root } from './files.ts';

/** The packages by the names of their folders, each with the packages that it may import. */
export const packages: Readonly<Record<string, readonly string[]>> = {
  host: [],
  infra: ['host'],
  course: ['host'],
  checker: ['host'],
  labs: ['host', 'course', 'checker'],
  cli: ['host', 'infra', 'course', 'labs', 'checker'],
};

/** One import of a file, also a dynamic one or one of types. */
export interface Import {
  /** The file that imports, from the root: `checker/index.ts`. */
  file: string;
  /** As it is written: `./facts/facts.ts`, `@handwired/host`, `zod`. */
  specifier: string;
  /** The same import for people, with its line. */
  line: string;
  /** The imported file, from the root, when it is ours; undefined for an external package. */
  target: string | undefined;
}

/** Every import of every TypeScript file in a package. */
export function readImports(folder: string): Import[] {
  const files = globSync(`${folder}/**/*.ts`, { cwd: root, exclude: ['**/node_modules/**', 'infra/sdks/**'] });
  return files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return findSpecifiers(file, text).map(({ value, start }) => ({
      file,
      specifier: value,
      line: `${file}:${text.slice(0, start).split('\n').length} imports ${value}`,
      target: targetOf(file, value),
    }));
  });
}

/** The texts after `from` and in `import()`, in the file's order. Throws an Error for a file that is not TypeScript. */
function findSpecifiers(file: string, text: string): StringLiteral[] {
  const { program, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors.map(({ message }) => message).join('; ')}`);
  const found: StringLiteral[] = [];
  const visitor = new Visitor({
    ImportDeclaration: ({ source }) => void found.push(source),
    ExportAllDeclaration: ({ source }) => void found.push(source),
    ExportNamedDeclaration: ({ source }) => void (source && found.push(source)),
    ImportExpression: ({ source }) =>
      void (source.type === 'Literal' && typeof source.value === 'string' && found.push(source)),
    TSImportType: ({ source }) => void found.push(source),
  });
  visitor.visit(program);
  return found;
}

function targetOf(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return relative(root, resolve(root, dirname(file), specifier));
  const [, name, path] = /^@handwired\/([a-z]+)(\/.*)?$/.exec(specifier) ?? [];
  return name === undefined ? undefined : `${name}${path ?? '/index'}.ts`;
}

/** Circles of files that import one another, types included: strongly connected components with more than one file. */
export function findCircles(imports: readonly Import[]): string[][] {
  const edges = new Map(imports.map(({ file }): [string, string[]] => [file, []]));
  for (const { file, target } of imports) if (target !== undefined && edges.has(target)) edges.get(file)?.push(target);
  return findComponents(edges).filter((circle) => circle.length > 1);
}

/** Strongly connected components, after Tarjan. */
function findComponents(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    low.set(file, order.get(file) ?? 0);
    stack.push(file);
    for (const target of edges.get(file) ?? []) {
      if (!order.has(target)) visit(target);
      if (stack.includes(target)) low.set(file, Math.min(low.get(file) ?? 0, low.get(target) ?? 0));
    }
    if (low.get(file) === order.get(file)) found.push(stack.splice(stack.indexOf(file)).sort());
  };
  for (const file of edges.keys()) if (!order.has(file)) visit(file);
  return found;
}
