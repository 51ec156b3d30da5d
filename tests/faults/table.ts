import { writeFile } from 'node:fs/promises';
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
on a lab host. What needs a kernel of its own shows on a VM only, and is told from its file.

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

/** What shows on a VM only has a row of what its file says of it. */
export function writeTable(proofs: readonly Proof[]): Promise<void> {
  const elsewhere = faults
    .filter(({ machine }) => machine === 'vm')
    .map(
      (fault): Proof => ({
        fault,
        failed: [...fault.symptoms],
        hop: 'PREROUTING (on a VM only: tests/vm/course.test.ts)',
      }),
    );
  const rows = [...proofs, ...elsewhere].toSorted((a, b) => (a.fault.id < b.fault.id ? -1 : 1)).map(rowOf);
  return writeFile(file, `${head}${rows.join('\n')}\n`);
}
