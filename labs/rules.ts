import { not, sh } from './guards.ts';
import type { Command, Sh } from './script.ts';

/**
 * In every rule that we add, so that undo finds ours and no other. A learner's rule without it stays a learner's.
 */
export const mark = ['-m', 'comment', '--comment', 'handwired'] as const;

const instead = (rule: Sh, action: '-C' | '-D'): Sh => {
  const cmd = rule.cmd.replace(' -A ', ` ${action} `);
  if (cmd === rule.cmd) throw new TypeError(`not an appending iptables command: ${rule.cmd}`);
  return sh(cmd);
};

/** `iptables ... -A ...` that is not there yet: iptables(8) tests for the very same rule with -C. */
export const append = (rule: Sh): Command => ({ done: instead(rule, '-C'), run: rule });

/** Takes away the rule that `append` made, every copy of it. */
export const remove = (rule: Sh): Command => ({
  done: not(instead(rule, '-C')),
  run: instead(rule, '-D'),
  repeat: true,
});
