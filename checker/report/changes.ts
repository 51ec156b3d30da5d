import type { Change } from '../changes.ts';
import { escapeText } from './escape.ts';
import { asciiJson } from './json.ts';

export interface Changes {
  lab: string;
  /** `baseline`, or the file that the earlier snapshot was in. */
  since: string;
  changes: readonly Change[];
}

const signs = { new: '+', gone: '-', changed: '~' } as const;
const owners = { yours: 'yours', world: "the world's", docker: "Docker's", unknown: 'unknown' } as const;

/** What has changed, for people: grouped by subject, each line with its owner. */
export function renderChanges({ lab, since, changes }: Changes): string {
  if (changes.length === 0) return `${escapeText(lab)}: nothing has changed since ${escapeText(since)}\n`;
  const lines = [...Map.groupBy(changes, ({ subject }) => subject)].flatMap(([subject, own]) => [
    subject,
    ...own.map((change) => `  ${lineOf(change)}`),
  ]);
  const counts = [...Map.groupBy(changes, ({ owner }) => owner)].map(
    ([owner, own]) => `${own.length} ${owners[owner]}`,
  );
  return `${[...lines, '', `${lab}: ${changes.length} changes since ${since}: ${counts.join(', ')}`].map(escapeText).join('\n')}\n`;
}

function lineOf({ owner, change, text, scope, was }: Change): string {
  const place = scope === '' ? '' : ` in ${scope}`;
  return `${owners[owner].padEnd(11)} ${signs[change]} ${text}${place}${was === null ? '' : ` (was: ${was})`}`;
}

export const renderChangesJson = ({ lab, since, changes }: Changes): string =>
  asciiJson({
    schemaVersion: 1,
    ...{ lab, since },
    changes: changes.map(({ subject, scope, change, owner, text, was }) => ({
      subject,
      scope,
      change,
      owner,
      text,
      was,
    })),
  });
