// Writes docs/schema/*.json from the shapes that the program itself reads by: node --import ./cli/loader.mjs scripts/schemas.ts.
import { mkdir, writeFile } from 'node:fs/promises';
import { schemas } from '../checker/index.ts';

const folder = new URL('../docs/schema/', import.meta.url);
await mkdir(folder, { recursive: true });
for (const [name, schema] of Object.entries(schemas())) {
  await writeFile(new URL(`${name}.json`, folder), `${JSON.stringify(schema, null, 2)}\n`);
}
