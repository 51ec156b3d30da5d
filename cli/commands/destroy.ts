import { dirname } from 'node:path';
import { EXIT, hasFolder, LabError, labsDir, listLabs, quote, stateDir } from '@handwired/host';
import { findOrphans, findRemains, type Remains } from '@handwired/infra';
import { type Context, type LabCommand, resolveLabName, createNameArgument } from '../command.ts';
import { destroyLab, removeRemains } from '../lab/life.ts';
import { withLock } from '../lab/open.ts';
import { toPrintable } from '../text.ts';

/** `lab destroy`: removes everything of one lab or of all labs. A lab that does not exist is an error. */
export const command: LabCommand = {
  example: 'lab destroy demo',
  declare: (command) => command.addArgument(createNameArgument()).option('--all', 'remove every lab'),
  run: runDestroy,
};

async function runDestroy(context: Context, given: string | undefined, { all }: { all?: boolean }): Promise<number> {
  if (all !== true) return destroyNamed(context, given ?? resolveLabName());
  if (given === undefined) return destroyAll(context);
  const what = 'lab destroy wants a name or --all, not both';
  throw new LabError({ what, next: `lab destroy ${given}`, exit: EXIT.usage });
}

async function destroyNamed(context: Context, name: string): Promise<number> {
  context.resume = `lab destroy ${name}   (goes on from here)`;
  if (await hasFolder(name)) await destroyOne(name, context);
  else await destroyLost(name, context);
  return EXIT.ok;
}

/** Removes what is left of a lab whose state is lost. LabError (78): there is nothing. */
async function destroyLost(name: string, context: Context): Promise<void> {
  const orphans = (await findOrphans(context.signal)).filter(({ lab }) => lab === name);
  if (orphans.length === 0) throw await explainAbsence(name, context);
  const removed = await withLock(name, context, () => removeRemains(orphans, context));
  printRemoved(`what was left of lab ${name} is gone`, removed, context);
}

/** The error for a lab that does not exist here. It may in another state folder. */
async function explainAbsence(name: string, { signal }: Context): Promise<LabError> {
  const remains = (await findRemains(signal)).filter(({ lab }) => lab === name);
  const what = `there is no lab named ${name}`;
  const foreign = remains.find(({ user }) => user !== undefined);
  if (foreign?.user !== undefined) {
    const next = `sudo "$(command -v lab)" destroy ${name}`;
    return new LabError({ what: `${what} here; one belongs to ${foreign.user}`, next, exit: EXIT.config });
  }
  const elsewhere = remains.find(({ state }) => state !== undefined);
  if (elsewhere?.state === undefined || elsewhere.state === stateDir())
    return new LabError({ what, where: labsDir(), next: 'lab status', exit: EXIT.config });
  const next = `XDG_STATE_HOME=${quote(dirname(elsewhere.state))} lab destroy ${name}`;
  return new LabError({
    what: `${what} here; one belongs to another state folder`,
    where: elsewhere.state,
    next,
    exit: EXIT.config,
  });
}

/** Removes every lab, and what is left of lost ones. When one can't be removed, the others still are. Throws the first error at the end. */
async function destroyAll(context: Context): Promise<number> {
  context.resume = 'lab destroy --all   (goes on from here)';
  const names = await listLabs();
  const failures: unknown[] = [];
  const attempt = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => {
      context.signal.throwIfAborted();
      failures.push(error);
    });
  for (const name of names) await attempt(destroyOne(name, context));
  const orphans = (await findOrphans(context.signal)).filter(isCertain);
  for (const orphan of orphans) {
    const { lab = 'no lab' } = orphan;
    await attempt(
      removeRemains([orphan], context).then((removed) =>
        printRemoved(`what was left of ${lab === 'no lab' ? lab : `lab ${lab}`} is gone`, removed, context),
      ),
    );
  }
  if (names.length + orphans.length === 0) context.print('there is no lab');
  if (failures.length > 0) throw failures[0];
  return EXIT.ok;
}

/** An object of a half made VM does not tell whose it is: it may be another user's. It goes by its lab's name only. */
const isCertain = ({ driver, state }: Remains): boolean => driver === 'sandbox' || state !== undefined;

async function destroyOne(name: string, context: Context): Promise<void> {
  const removed = await withLock(name, context, () => destroyLab(name, context));
  printRemoved(`lab ${name} is gone`, removed, context);
}

const printRemoved = (title: string, removed: readonly string[], context: Context): void =>
  context.print([`${title}; removed:`, ...removed.map((line) => `  ${toPrintable(line)}`)].join('\n'));
