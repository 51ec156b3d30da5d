import { type ChapterId, type LabSpec, recordFile } from '@handwired/host';
import { chapters } from '@handwired/labs';
import { labFlag, named } from '../options.ts';

/** What a chapter stands on and has not been seen in this lab, and how to get there, one line each; nothing is missing: none. */
export async function notesOn(id: ChapterId, name: string, spec: LabSpec | undefined): Promise<string[]> {
  const needs = chapters.filter((chapter) => needsOf(id).has(chapter.id));
  if (needs.length === 0 && id !== 'cleanup') return [];
  const begun = spec ? await begunIn(name) : [];
  const missing = needs.filter((chapter) => !begun.includes(chapter.id));
  const [first] = missing;
  if (id === 'cleanup' && begun.length === 0) return nothingToClean(name, spec);
  if (!first) return [];
  const listed = missing.map((chapter) => `${chapter.number} ${chapter.id}`).join(', ');
  const seen = spec ? `of which lab check has seen nothing in lab ${name}` : `and there is no lab named ${name} yet`;
  const up = spec ? '' : `lab up${named(name)}, then `;
  const built = `lab build${named(name)} --through ${(missing.at(-1) ?? first).id}`;
  return [
    `chapter ${id} can't start yet: it stands on ${listed}, ${seen}`,
    `how to get there: ${up}lab guide ${first.id}${labFlag(name)}; or have it built for you: ${up}${built}`,
    ...(spec ? [`if it stands already, lab check${named(name)} takes note of it`] : []),
  ];
}

/** Cleaning up needs no chapter in particular, but something that was built. */
function nothingToClean(name: string, spec: LabSpec | undefined): string[] {
  const seen = spec ? `lab check has seen nothing built in lab ${name}` : `there is no lab named ${name} yet`;
  const up = spec ? '' : `lab up${named(name)}, then `;
  return [
    `chapter cleanup can't start yet: ${seen}`,
    `how to get there: ${up}lab next${named(name)}; or have the network built for you: ${up}lab build${named(name)}`,
  ];
}

/** Chapters that were seen begun. The checker is loaded for this alone: without a lab a guide is there sooner. */
async function begunIn(name: string): Promise<string[]> {
  const { loadRecord } = await import('@handwired/checker');
  return Object.keys((await loadRecord(recordFile(name))).begun);
}

/** All that a chapter stands on. */
function needsOf(id: ChapterId): Set<ChapterId> {
  const needs = chapters.find((chapter) => chapter.id === id)?.needs ?? [];
  return new Set(needs.flatMap((need) => [need, ...needsOf(need)]));
}
