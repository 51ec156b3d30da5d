import { restoreSysctl } from '../notes.ts';
import { remove } from '../rules.ts';
import type { ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';
import { hairpinOff } from './hairpin.ts';
import { rules } from './rules.ts';
import { removePage, stop } from './server.ts';

export const undo: ScriptOf<typeof chapter> = async ({ $, plan, step }) => {
  const { dnat, local, accept, guard, source, hairpin } = rules({ $, plan });
  await step('hairpin', hairpinOff({ $, plan }), remove(hairpin));
  await step('source', remove(source));
  await step('loopback', restoreSysctl($, 'route_localnet'));
  await step('guard', remove(guard));
  await step('accept', remove(accept));
  await step('local', remove(local));
  await step('dnat', remove(dnat));
  await step('serve', ...stop({ $, plan }));
  await step('page', ...removePage({ $, plan }));
};
