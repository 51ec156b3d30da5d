import { $, type Fault } from '@handwired/course';
import { resolverFile, writeResolver } from '../07-dns/chapter.ts';
import { keepFileTime } from './parts.ts';

export const fault: Fault = {
  id: 'resolver-not-listening',
  title: 'A container asks its gateway for names, where nobody answers such questions.',
  level: 2,
  needs: 'dns',
  excludes: [],
  cause: 'resolver-not-listening',
  symptoms: ['dns.ct2'],
  inject: (plan) => {
    const file = resolverFile(plan.ct2);
    return [
      keepFileTime(file, {
        done: $`grep -qx ${`nameserver ${plan.gateway}`} ${file}`,
        run: $`echo nameserver ${plan.gateway} > ${file}`,
      }),
    ];
  },
  repair: ({ ct2, resolver }) => [writeResolver(ct2, resolver)],
  explanation:
    "A home router answers DNS questions at the gateway's address. This lab host only routes, unless somebody starts a DNS server on it. It refuses each question at once.",
};
