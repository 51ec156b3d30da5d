import { $, type Fault, sh } from '@handwired/course';
import { world } from '@handwired/host';
import { resolverFile, writeResolver } from '../07-dns/chapter.ts';
import { keepFileTime } from './parts.ts';

export const fault: Fault = {
  id: 'search-domain',
  title: 'A search domain is tried before the name itself, and answers.',
  level: 3,
  needs: 'dns',
  excludes: ['resolver-unreachable'],
  cause: 'search-domain-first',
  symptoms: ['dns.ct1'],
  inject: (plan) => {
    const file = resolverFile(plan.ct1);
    return [
      keepFileTime(file, {
        done: $`grep -q ndots ${file}`,
        run: sh(`printf 'search %s\\noptions ndots:5\\n' ${world.site.name} >> ${$`${file}`.cmd}`),
      }),
    ];
  },
  repair: ({ ct1, resolver }) => [writeResolver(ct1, resolver)],
  explanation:
    'With ndots:5, a name with fewer than five dots is first looked up with the search domain appended. That domain answers for every name, so the answer is about another host than the one that was meant.',
};
