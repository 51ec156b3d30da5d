import { setSysctl } from '../notes.ts';
import { append } from '../rules.ts';
import type { ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';
import { hairpinOn } from './hairpin.ts';
import { rules } from './rules.ts';
import { makePage, start } from './server.ts';

export const build: ScriptOf<typeof chapter> = async ({ $, plan, step }) => {
  const { dnat, local, accept, guard, source, hairpin } = rules({ $, plan });
  await step('page', ...makePage({ $, plan }));
  await step('serve', start({ $, plan }));
  await step('dnat', append(dnat));
  await step('local', append(local));
  await step('accept', append(accept));
  await step('guard', append(guard));
  await step('loopback', setSysctl($, 'route_localnet', `net.ipv4.conf.${plan.bridge}.route_localnet`));
  await step('source', append(source));
  await step('hairpin', append(hairpin), hairpinOn({ $, plan }));
};
