import { EXIT } from '@handwired/host';
import { diagnose, type Finding } from '@handwired/infra';
import { type Context, type LabCommand, createOutputOption } from '../command.ts';
import { createPaint, type Paint } from '../text.ts';

/** `lab doctor`: lists what this machine has and lacks, with the commands that install what is missing. */
export const command: LabCommand = {
  example: 'lab doctor',
  declare: (command) => command.addOption(createOutputOption('text', 'json')),
  run: runDoctor,
};

async function runDoctor(context: Context, { output }: { output: 'text' | 'json' }): Promise<number> {
  const findings = await diagnose(context.signal);
  const paint = createPaint(context.color);
  if (output === 'json') context.print(JSON.stringify({ schemaVersion: 1, findings }, null, 2));
  else context.print(findings.map((finding) => renderFinding(finding, paint)).join('\n'));
  return findings.some(({ state }) => state === 'missing') ? EXIT.config : EXIT.ok;
}

function renderFinding({ subject, state, detail, mend }: Finding, paint: Paint): string {
  const marks = { ok: paint('green', 'ok     '), warn: paint('yellow', 'warn   '), missing: paint('red', 'missing') };
  const next = mend === undefined ? '' : `\n         next: ${mend}`;
  return `${marks[state]}  ${subject}: ${detail}${next}`;
}
