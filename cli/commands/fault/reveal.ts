import { EXIT } from '@handwired/host';
import { listFaultCommands, type Fault } from '@handwired/labs/faults';
import {
  type Context,
  type LabCommand,
  resolveLabName,
  createLabOption,
  renderLabFlag,
  renderName,
} from '../../command.ts';
import { gradeAtSeat } from '../../lab/grade.ts';
import {
  type FaultLab,
  findUngraded,
  listIds,
  noteOutcome,
  type OpenFault,
  readFaults,
  saveFault,
  withOpenFault,
} from '../../lab/fault.ts';
import { toPrintable } from '../../text.ts';

/**
 * `lab fault reveal`: says what was broken, how that explains the symptoms, and what repairs it. The fault then
 * counts as given up.
 */
export const command: LabCommand = {
  example: 'lab fault reveal',
  declare: (command) => command.addOption(createLabOption()),
  run: runReveal,
};

function runReveal(context: Context, { lab: name = resolveLabName() }: { lab?: string }): Promise<number> {
  return withOpenFault(name, 'reveal', context, (lab, open) => reveal(lab, open, context));
}

async function reveal(lab: FaultLab, before: OpenFault, context: Context): Promise<number> {
  const { name } = lab;
  const open: OpenFault = { ...before, phase: 'revealed' };
  // Whoever gives up is told the fault, also when the lab can't be graded.
  const report = await gradeAtSeat(lab, { through: open.through, hints: 3 }, context);
  const { checks } = report;
  const ungraded = findUngraded(report);
  const failing = checks.filter(({ id, verdict }) => verdict !== 'pass' && open.passed.includes(id));
  await noteOutcome(name, open, { repaired: failing.length === 0, closed: true }, context);
  await saveFault(name, open);
  for (const fault of readFaults(open, name)) {
    // The checker's hint comes first: it fits this lab, which may be built in another way than ours.
    const hint = checks.find(({ diagnosis }) => diagnosis?.cause === fault.cause)?.hint;
    context.print(renderFault(fault, hint ?? renderOwnRepair(fault, lab)).join('\n'));
  }
  const now = ungraded
    ? `what fails can't be told now: ${toPrintable(ungraded.because ?? '')}`
    : `failing now: ${listIds(failing.map(({ id }) => id))}`;
  context.print(
    failing.length === 0
      ? `it is repaired already\nnext: lab fault inject${renderLabFlag(name)}`
      : `${now}\nnext: type it, or lab fault repair${renderLabFlag(name)}; then lab check${renderName(name)}`,
  );
  return EXIT.ok;
}

const renderOwnRepair = (fault: Fault, { spec: { plan } }: FaultLab): string =>
  listFaultCommands('repair', [fault], plan)
    .map(({ run }) => run.cmd)
    .join('\n');

function renderFault({ id, title, explanation }: Fault, repair: string): string[] {
  const commands = repair.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return [`${title} (${id})`, explanation, 'what mends it:', ...commands.map((line) => `  ${toPrintable(line)}`), ''];
}
