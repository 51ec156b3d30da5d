import { world } from '@handwired/host';
import { sightsOf } from '../../checks/trace.ts';
import type { Cause } from '../cause.ts';
import { asked, placeOf, write } from './names.ts';

const common = { hop: 'names', explains: ['dns.ct1', 'dns.ct2'], structural: true } as const;

/** 07: which name is asked for, and in which order servers are: resolv.conf(5). */
export const lookups: Cause[] = [
  {
    ...common,
    id: 'search-domain-first',
    detect: (the, walk) => {
      const at = asked(the, walk);
      const foundAs = walk.probe === undefined ? undefined : the.evidence.results[walk.probe]?.foundAs;
      const search = /^(?:search|domain)\s+(.+)$/m.exec(at?.file?.text ?? '')?.[1]?.trim();
      const dots = /^options\s.*\bndots:(\d+)/m.exec(at?.file?.text ?? '')?.[1];
      if (!at || foundAs === undefined || search === undefined) return undefined;
      return {
        which: at.which,
        seen: [`the answer is about ${foundAs}`, `${at.file?.path ?? ''} has search ${search}, ndots:${dots ?? '1'}`],
        wrong: `${at.name} reads ${placeOf(at)}: a name with fewer than ${dots ?? '1'} dots is first asked for under ${search}, and there it is answered: as ${foundAs}.`,
        mend: write(the, at.name),
      };
    },
  },
  {
    ...common,
    id: 'resolver-dead-first',
    detect: (the, walk) => {
      const at = asked(the, walk);
      const known: readonly string[] = [...world.resolvers, the.plan.gateway];
      const [server, ...others] = at?.servers ?? [];
      if (!at || walk.probe === undefined || server === undefined || known.includes(server)) return undefined;
      if (server.startsWith('127.') || !others.some((other) => known.includes(other))) return undefined;
      if (sightsOf(the.evidence, walk.probe, { what: 'answer', source: server }).length > 0) return undefined;
      return {
        which: at.which,
        seen: [`${at.file?.path ?? ''} says nameserver ${at.servers.join(', ')}`, `no answer came from ${server}`],
        wrong: `${at.name} reads ${placeOf(at)}: nameserver ${server} is asked first and is none; the next is asked only when the time for an answer is over, for each name anew.`,
        mend: write(the, at.name),
      };
    },
  },
];
