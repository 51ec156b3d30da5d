import { readFile, writeFile } from 'node:fs/promises';
import { defaultPlan } from '@handwired/host';
import { faultCommands, type Fault, faults } from '@handwired/labs/faults';

/** What came of one fault on a lab host. */
export interface Proof {
  fault: Fault;
  /** Ids of the checks that failed, and where the diagnosis says that the first of them breaks. */
  failed: string[];
  hop: string;
}

const file = new URL('../../docs/faults.md', import.meta.url);

const head = `# Faults

What \`lab fault inject\` can put in: each fault with the checks that fail with it on a right build, the cause that the
checker's diagnosis names, and the commands after which all of them pass again, with the default plan's values. The
table is written by \`FAULTS_TABLE=write node --import tsx --test tests/sandbox/faults.test.ts\`, from what came of each
on a lab host. \`lab dev check ID\` writes one row.

| fault | level | fails | diagnosis | repair |
| --- | --- | --- | --- | --- |
`;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', '<br>');

const codes = (texts: readonly string[]): string =>
  texts.flatMap((text) => text.split('\n').map((line) => `\`\`${line}\`\``)).join('<br>');

function rowOf({ fault, failed, hop }: Proof): string {
  const repair = faultCommands('repair', [fault], defaultPlan).map(({ run }) => run.cmd);
  const cells = [
    `\`${fault.id}\`: ${fault.title}`,
    String(fault.level),
    failed.join(', '),
    `\`${fault.cause}\` at ${hop}`,
    codes(repair),
  ];
  return `| ${cells.map(cell).join(' | ')} |`;
}

/** The id in a row of the table. */
const readId = (row: string): string => row.split('`')[1] ?? '';

/** Writes the rows of these faults anew, keeps the others', and drops those of faults that are gone. */
export async function writeRows(proofs: readonly Proof[]): Promise<void> {
  const old = (await readFile(file, 'utf8')).split('\n').filter((line) => line.startsWith('| `'));
  const rows = new Map([...old, ...proofs.map(rowOf)].map((row) => [readId(row), row]));
  const sorted = faults.map(({ id }) => id).toSorted();
  await writeFile(file, `${head}${sorted.flatMap((id) => rows.get(id) ?? []).join('\n')}\n`);
}
