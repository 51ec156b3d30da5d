import { not } from '../guards.ts';
import { noting } from '../notes.ts';
import type { ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';
import { fileNote, fileOf, folderNote, folderOf, isOurs, settings } from './files.ts';

export const build: ScriptOf<typeof chapter> = async ({ $, plan: { ct1, ct2, resolver }, step }) => {
  const each = [ct1, ct2];
  await step(
    'folder',
    ...each.map((ct) =>
      noting(
        $,
        folderNote,
        $`echo made`,
        { done: $`test -d ${folderOf(ct)}`, run: $`mkdir -p ${folderOf(ct)}` },
        not($`test -d ${settings}`),
      ),
    ),
  );
  await step(
    'resolver',
    ...each.map((ct) =>
      noting(
        $,
        fileNote(ct),
        $`cat ${fileOf(ct)}`,
        { done: isOurs($, ct, resolver), run: $`echo nameserver ${resolver} > ${fileOf(ct)}` },
        // An empty one is what this very command leaves when it is cut off.
        $`test -s ${fileOf(ct)}`,
      ),
    ),
  );
};
