import { EXIT } from '@handwired/host';
import { faults, type Level } from '@handwired/labs/faults';
import { type Context, type LabCommand, createOutputOption } from '../../command.ts';

/** `lab fault list`: lists all faults. It does not say which one is in place. */
export const command: LabCommand = {
  example: 'lab fault list\n  lab fault list -o json',
  declare: (command) => command.addOption(createOutputOption('text', 'json')),
  run: runList,
};

function runList(context: Context, { output }: { output: 'text' | 'json' }): number {
  const rows = faults
    .map(({ id, level, needs, machine = null, conditions = {}, title }) => ({
      id,
      level,
      needs,
      machine,
      conditions,
      title,
    }))
    .sort((a, b) => a.level - b.level || (a.id < b.id ? -1 : 1));
  if (output === 'json') context.print(JSON.stringify({ schemaVersion: 1, faults: rows }, null, 2));
  else context.print(renderFaults(rows, context.columns).join('\n'));
  return EXIT.ok;
}

const levels: Record<Level, string> = {
  1: 'one command shows it',
  2: 'the packet must be followed',
  3: 'the symptoms mislead; lab fault inject --level 3 injects several at once, of any level',
};

function renderFaults(rows: readonly { id: string; level: Level; title: string }[], columns: number): string[] {
  const width = Math.max(...rows.map(({ id }) => id.length)) + 2;
  return ([1, 2, 3] as const).flatMap((level) => {
    const own = rows.filter((row) => row.level === level);
    if (own.length === 0) return [];
    const lines = own.map(({ id, title }) =>
      2 + width + title.length <= columns ? `  ${id.padEnd(width)}${title}` : `  ${id}\n    ${title}`,
    );
    return [`level ${level}: ${levels[level]}`, ...lines];
  });
}
