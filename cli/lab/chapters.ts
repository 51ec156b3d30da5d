import { chapterIds, type ChapterId, type ChapterInfo } from '@handwired/host';

export interface Selection {
  chapter?: ChapterId;
  through?: ChapterId;
}

/** A selection as flags to type again, with a space before each. */
export const asFlags = ({ chapter, through }: Selection): string =>
  [chapter && ` --chapter ${chapter}`, through && ` --through ${through}`].filter(Boolean).join('');

const inOrder = (wanted: ReadonlySet<ChapterId>): ChapterId[] => chapterIds.filter((id) => wanted.has(id));

/** The last chapter of the network itself: what comes after it looks at that, compares it and breaks it. */
export const lastOfNetwork: ChapterId = 'publish';

/** The chapters to build, in course order: one with all that it needs, all up to one, or the whole network. */
export function toBuild(chapters: readonly ChapterInfo[], { chapter, through }: Selection): ChapterId[] {
  const built = chapters.filter(({ id }) => id !== 'cleanup').map(({ id }) => id);
  if (chapter === 'cleanup' || through === 'cleanup') return inOrder(new Set(built));
  if (chapter !== undefined) return inOrder(closure([chapter], (id) => needsOf(chapters, id)));
  const last = chapterIds.indexOf(through ?? lastOfNetwork);
  return inOrder(new Set(built.filter((id) => chapterIds.indexOf(id) <= last)));
}

/** What has to stand before a chapter begins: of the network, all that comes before it, and what the chapter needs besides. */
export function toBuildBefore(chapters: readonly ChapterInfo[], to: ChapterId): ChapterId[] {
  const network = toBuild(chapters, {}).filter((id) => chapterIds.indexOf(id) < chapterIds.indexOf(to));
  return inOrder(closure([...network, ...needsOf(chapters, to)], (id) => needsOf(chapters, id)));
}

/** The chapters to undo, the last one first: one with all that stands on it, or the whole course. */
export function toUndo(chapters: readonly ChapterInfo[], chapter: ChapterId | undefined): ChapterId[] {
  const all = chapters.filter(({ id }) => id !== 'cleanup').map(({ id }) => id);
  if (chapter === undefined || chapter === 'cleanup') return inOrder(new Set(all)).reverse();
  const users = (id: ChapterId): ChapterId[] =>
    chapters.filter(({ needs, id: user }) => user !== 'cleanup' && needs.includes(id)).map((user) => user.id);
  return inOrder(closure([chapter], users)).reverse();
}

const needsOf = (chapters: readonly ChapterInfo[], id: ChapterId): ChapterId[] =>
  chapters.find((chapter) => chapter.id === id)?.needs ?? [];

/** Everything reached from the first ids, those included. */
function closure(first: readonly ChapterId[], next: (id: ChapterId) => ChapterId[]): Set<ChapterId> {
  const reached = new Set<ChapterId>();
  const queue = [...first];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    queue.push(...next(id));
  }
  return reached;
}
