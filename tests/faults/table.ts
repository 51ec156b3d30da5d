import { readFile, writeFile } from 'node:fs/promises';
import { defaultPlan } from '@handwired/host';
import { listFaultCommands, type Fault, faults } from '@handwired/labs/faults';

/** The result of one fault on a lab host. */
export interface Proof {
  fault: Fault;
  /** Ids of the checks that failed, and where the diagnosis says that the first of them breaks. */
  failed: string[];
  hop: string;
}

const file = new URL('../../docs/faults.md', import.meta.url);

const head = `# Faults

A fault is something that \`lab fault inject\` breaks in a right build, for the learner to find. This page lists all faults.
\`FAULTS_TABLE=write node --import ./cli/loader.mjs --test tests/sandbox/faults.test.ts\` writes it. That test injects each fault on a lab
host, has it graded, repairs it, and has it graded again. \`lab dev check ID\` writes the row of one fault.

- **level** says how hard the fault is to find. 1: one command shows it. 2: the packet must be followed. 3: the symptoms mislead.
- **fails** lists the checks that fail while the fault is in place.
- **diagnosis** is the cause that the checker names, and the place where it says that the first failing check breaks. The
  cause's id is a right answer to \`lab fault submit\`, and so is the fault's id.
- **repair** lists the commands after which all of these checks pass again, with the default plan's values.

| fault | level | fails | diagnosis | repair |
| --- | --- | --- | --- | --- |
`;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', '<br>');

const codes = (texts: readonly string[]): string =>
  texts.flatMap((text) => text.split('\n').map((line) => `\`\`${line}\`\``)).join('<br>');

function rowOf({ fault, failed, hop }: Proof): string {
  const repair = listFaultCommands('repair', [fault], defaultPlan).map(({ run }) => run.cmd);
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

/** Rewrites the rows of these faults, keeps the other rows, and drops rows of faults that no longer exist. */
export async function writeRows(proofs: readonly Proof[]): Promise<void> {
  const old = (await readFile(file, 'utf8')).split('\n').filter((line) => line.startsWith('| `'));
  const rows = new Map([...old, ...proofs.map(rowOf)].map((row) => [readId(row), row]));
  const sorted = faults.map(({ id }) => id).toSorted();
  await writeFile(file, `${head}${sorted.flatMap((id) => rows.get(id) ?? []).join('\n')}\n`);
}
