import { EXIT, hasFolder, LabError, labsDir, listLabs } from '@handwired/host';
import { type Context, type LabCommand, resolveLabName, createNameArgument } from '../command.ts';
import { destroyLab } from '../lab/life.ts';
import { withLock } from '../lab/open.ts';

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
  if (!(await hasFolder(name))) {
    const what = `there is no lab named ${name}`;
    throw new LabError({ what, where: labsDir(), next: 'lab status', exit: EXIT.config });
  }
  await destroyOne(name, context);
  return EXIT.ok;
}

/** Removes every lab. When one can't be removed, the others still are. Throws the first error at the end. */
async function destroyAll(context: Context): Promise<number> {
  context.resume = 'lab destroy --all   (goes on from here)';
  const names = await listLabs();
  if (names.length === 0) context.print('there is no lab');
  const failures: unknown[] = [];
  for (const name of names) {
    await destroyOne(name, context).catch((error: unknown) => {
      context.signal.throwIfAborted();
      failures.push(error);
    });
  }
  if (failures.length > 0) throw failures[0];
  return EXIT.ok;
}

async function destroyOne(name: string, context: Context): Promise<void> {
  const removed = await withLock(name, context, () => destroyLab(name, context));
  context.print([`lab ${name} is gone; removed:`, ...removed.map((line) => `  ${line}`)].join('\n'));
}
