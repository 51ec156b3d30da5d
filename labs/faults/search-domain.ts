import { world } from '@handwired/host';
import { fileOf, isOurs } from '../07-dns/files.ts';
import { sh } from '../guards.ts';
import { keepingTime } from './engine/parts.ts';
import type { Fault } from './fault.ts';

export const fault: Fault = {
  id: 'search-domain',
  title: 'A search domain is tried before the name itself, and answers.',
  level: 3,
  needs: 'dns',
  excludes: ['resolver-unreachable'],
  cause: 'search-domain-first',
  symptoms: ['dns.ct1'],
  inject: ({ $, plan }) => {
    const file = fileOf(plan.ct1);
    return [
      keepingTime($, file, {
        done: $`grep -q ndots ${file}`,
        run: sh(`printf 'search %s\\noptions ndots:5\\n' ${world.site.name} >> ${$`${file}`.cmd}`),
      }),
    ];
  },
  repair: ({ $, plan: { ct1, resolver } }) => [
    { done: isOurs($, ct1, resolver), run: $`echo nameserver ${resolver} > ${fileOf(ct1)}` },
  ],
  tells:
    'With ndots:5 a name with fewer than five dots is first asked for with the search domain behind it. There every name is answered, and so the answer is about another host than the one that was meant.',
  words: ['search domain', 'ndots', 'search list', 'search resolv', 'domain appended', 'search suffix'],
};
