import { setSysctl } from '../notes.ts';
import { append } from '../rules.ts';
import type { ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';
import { forwardingNote, rules } from './rules.ts';

export const build: ScriptOf<typeof chapter> = async ({ $, plan, step }) => {
  const { protect, out, back, masquerade } = rules({ $, plan });
  await step('protect', ...protect.map(append));
  await step('out', ...out.map(append));
  await step('back', ...back.map(append));
  await step('masquerade', ...masquerade.map(append));
  // inet_forward_change (net/ipv4/devinet.c) also sets these: each interface's forwarding, all.accept_redirects.
  const also = ['net/ipv4/conf/all/accept_redirects', 'net/ipv4/conf/*/forwarding'];
  await step('forwarding', setSysctl($, forwardingNote, 'net.ipv4.ip_forward', also));
};
