import { EXIT, LabError, labDir, labsDir, listLabs } from '@handwired/host';
import { access } from 'node:fs/promises';
import type { Context } from '../context.ts';
import { takeDown } from '../lab/destroy.ts';
import { withLock } from '../lab/lock.ts';

/** `lab destroy NAME`: everything of one lab is gone afterwards. A lab that doesn't exist is a wrong name, not a success. */
export async function runDestroy(context: Context, name: string): Promise<number> {
  context.resume = `lab destroy ${name}   (goes on from here)`;
  await access(labDir(name)).catch((cause: unknown) => {
    throw new LabError({
      what: `there is no lab named ${name}`,
      where: labsDir(),
      next: 'lab status',
      exit: EXIT.config,
      cause,
    });
  });
  await destroyOne(name, context);
  return EXIT.ok;
}

/** `lab destroy --all`: each lab on its own, so that one that can't be removed doesn't keep the others. */
export async function runDestroyAll(context: Context): Promise<number> {
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
  const removed = await withLock(name, context, () => takeDown(name, context));
  context.print([`lab ${name} is gone; removed:`, ...removed.map((line) => `  ${line}`)].join('\n'));
}
