import { both, either, not } from '../guards.ts';
import { givingBack, noteFile } from '../notes.ts';
import type { ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';
import { fileNote, fileOf, folderNote, folderOf, isOurs, settings } from './files.ts';

export const undo: ScriptOf<typeof chapter> = async ({ $, plan: { ct1, ct2, resolver }, step }) => {
  const each = [ct2, ct1];
  await step(
    'resolver',
    ...each.map((ct) =>
      givingBack($, fileNote(ct), $`cp ${noteFile(fileNote(ct))} ${fileOf(ct)}`, $`test -d ${folderOf(ct)}`),
    ),
    ...each.map((ct) => ({
      done: not(both($`test -e ${fileOf(ct)}`, either(isOurs($, ct, resolver), not($`test -s ${fileOf(ct)}`)))),
      run: $`rm ${fileOf(ct)}`,
    })),
  );
  await step(
    'folder',
    ...each.map((ct) => ({
      done: not($`test -d ${folderOf(ct)} && test -z "$(ls -A ${folderOf(ct)})"`),
      run: $`rmdir ${folderOf(ct)}`,
    })),
    givingBack($, folderNote, $`rmdir ${settings}`, $`test -d ${settings} && test -z "$(ls -A ${settings})"`),
  );
};
