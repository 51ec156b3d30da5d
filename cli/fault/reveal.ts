import { EXIT, type ExitCode } from '@handwired/host';
import { carryOut, commandsOf, type Fault } from '@handwired/labs/faults';
import type { Context } from '../context.ts';
import { labFlag, named } from '../options.ts';
import { printable } from '../printable.ts';
import { type BothWays, gradeWhole, listed, stillFailing } from './grade.ts';
import { sourceOf } from './inject.ts';
import { faultsOf, forgetFault, noteOutcome, type OpenFault, saveFault } from './state.ts';

/** Says what was broken, why it showed as it did, and what mends it. It counts as given up from here on. */
export async function reveal(lab: BothWays, before: OpenFault, context: Context): Promise<ExitCode> {
  const { name, spec } = lab;
  const open: OpenFault = { ...before, phase: 'revealed' };
  const { checks } = await gradeWhole(lab, { through: open.through, hints: 3 }, context);
  const failing = checks.filter(({ id, verdict }) => verdict !== 'pass' && open.passed.includes(id));
  await noteOutcome(spec, open, { repaired: failing.length === 0, closed: true }, context);
  await saveFault(name, open);
  const some = faultsOf(open, name);
  for (const fault of some) {
    // What the checker says of this very lab comes first: what is built may be of another shape than ours.
    const hint = checks.find(({ diagnosis }) => diagnosis?.cause === fault.cause)?.hint;
    context.print(tellOf(fault, hint ?? ownRepair(fault, lab)).join('\n'));
  }
  context.print(
    failing.length === 0
      ? `it is repaired already\nnext: lab fault inject${labFlag(name)}`
      : `failing now: ${listed(failing.map(({ id }) => id))}\nnext: type it, or lab fault repair${labFlag(name)}; then lab check${named(name)}`,
  );
  return EXIT.ok;
}

const ownRepair = (fault: Fault, { spec: { plan } }: BothWays): string =>
  commandsOf('repair', [fault], plan)
    .map(({ run }) => run.cmd)
    .join('\n');

function tellOf({ id, title, tells }: Fault, mend: string): string[] {
  const commands = mend.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return [`${title} (${id})`, tells, 'what mends it:', ...commands.map((line) => `  ${printable(line)}`), ''];
}

/** Takes a fault out by our own commands. It must have been revealed. */
export async function repair(lab: BothWays, open: OpenFault, context: Context): Promise<ExitCode> {
  const { name, spec } = lab;
  await carryOut(sourceOf(lab, context), 'repair', faultsOf(open, name));
  const failing = await stillFailing(lab, open, context);
  await noteOutcome(spec, open, { repaired: failing.length === 0, closed: true }, context);
  if (failing.length === 0) await forgetFault(name);
  context.print(
    failing.length === 0
      ? `repaired: every check that passed before passes again\nnext: lab fault inject${labFlag(name)}`
      : `our commands do not mend it all, as what is built is not ours: ${listed(failing)}\nnext: lab check --hints 3${named(name)}`,
  );
  return failing.length === 0 ? EXIT.ok : EXIT.failed;
}
