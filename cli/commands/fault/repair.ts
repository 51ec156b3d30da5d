import { EXIT, LabError } from '@handwired/host';
import { applyFaults } from '@handwired/labs/faults';
import {
  type Context,
  type LabCommand,
  resolveLabName,
  createLabOption,
  renderLabFlag,
  renderName,
} from '../../command.ts';
import {
  type FaultLab,
  findFailing,
  forgetFault,
  listIds,
  noteOutcome,
  type OpenFault,
  readFaults,
  toTarget,
  withOpenFault,
} from '../../lab/fault.ts';

/** `lab fault repair`: repairs a fault that was revealed, by our own commands. */
export const command: LabCommand = {
  example: 'lab fault repair',
  declare: (command) => command.addOption(createLabOption()),
  run: runRepair,
};

async function runRepair(context: Context, { lab: name = resolveLabName() }: { lab?: string }): Promise<number> {
  return withOpenFault(name, 'repair', context, (lab, open) => {
    if (open.phase === 'revealed') return repair(lab, open, context);
    throw new LabError({
      what: 'the fault is still to be found',
      where: name,
      next: `lab fault reveal${renderLabFlag(name)}   (gives up)`,
      exit: EXIT.usage,
    });
  });
}

async function repair(lab: FaultLab, open: OpenFault, context: Context): Promise<number> {
  const { name } = lab;
  await applyFaults(toTarget(lab, context), 'repair', readFaults(open, name));
  const failing = await findFailing(lab, open, context);
  await noteOutcome(name, open, { repaired: failing.length === 0, closed: true }, context);
  if (failing.length === 0) await forgetFault(name);
  context.print(
    failing.length === 0
      ? `repaired: every check that passed before passes again\nnext: lab fault inject${renderLabFlag(name)}`
      : `our commands do not mend it all, as what is built is not ours: ${listIds(failing)}\nnext: lab check --hints 3${renderName(name)}`,
  );
  return failing.length === 0 ? EXIT.ok : EXIT.failed;
}
