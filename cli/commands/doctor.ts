import { EXIT } from '@handwired/host';
import { diagnose, type Finding } from '@handwired/infra';
import pc from 'picocolors';
import type { Context } from '../context.ts';

/** `lab doctor`: what this machine has and lacks, each lack with the command that mends it. */
export async function runDoctor(context: Context, output: 'text' | 'json'): Promise<number> {
  const findings = await diagnose(context.signal);
  const missing = findings.some(({ state }) => state === 'missing');
  if (output === 'json') context.print(JSON.stringify({ schemaVersion: 1, findings }, null, 2));
  else context.print(findings.map((finding) => line(finding, context.color)).join('\n'));
  return missing ? EXIT.config : EXIT.ok;
}

function line({ subject, state, detail, mend }: Finding, color: boolean): string {
  const colors = pc.createColors(color);
  const mark = { ok: colors.green('ok     '), warn: colors.yellow('warn   '), missing: colors.red('missing') }[state];
  const next = mend === undefined ? '' : `\n         next: ${mend}`;
  return `${mark}  ${subject}: ${detail}${next}`;
}
