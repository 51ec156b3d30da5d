import { writeFile } from 'node:fs/promises';
import { defaultPlan } from '@handwired/host';
import { listFaultCommands, type Fault, faults } from '@handwired/labs/faults';

/** What came of one fault on a lab host. */
export interface Proof {
  fault: Fault;
  /** Ids of the checks that failed, and where the diagnosis says that the first of them breaks. */
  failed: string[];
  hop: string;
}

const file = new URL('../../docs/faults.md', import.meta.url);

const head = `# Faults

A fault is something that \`lab fault inject\` breaks in a right build, for the learner to find. This page lists all faults.
\`FAULTS_TABLE=write node --import tsx --test tests/sandbox/faults.test.ts\` writes it. That test injects each fault on a lab
host, has it graded, repairs it, and has it graded again.

- **level** says how hard the fault is to find. 1: one command shows it. 2: the packet must be followed. 3: the symptoms mislead.
- **fails** lists the checks that fail while the fault is in place.
- **diagnosis** is the cause that the checker names, and the place where it says that the first failing check breaks. The
  cause's id is a right answer to \`lab fault submit\`, and so is the fault's id.
- **repair** lists the commands after which all of these checks pass again, with the default plan's values.

A fault that needs a kernel of its own shows on a VM only. Its row comes from its file, not from a test on a sandbox.

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
