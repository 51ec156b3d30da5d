import { $, type Fault, sh } from '@handwired/course';
import { resolverFile, writeResolver } from '../07-dns/chapter.ts';
import { keepFileTime } from './parts.ts';

/** An address of the uplink's network that nobody has. */
const nobody = '203.0.113.53';

export const fault: Fault = {
  id: 'resolver-unreachable',
  title: 'A container asks a name server that is not there.',
  level: 1,
  needs: 'dns',
  excludes: [],
  cause: 'resolver-unreachable',
  symptoms: ['dns.ct1'],
  inject: ({ ct1 }) => {
    const file = resolverFile(ct1);
    const has = $`grep -q '^nameserver ' ${file}`.cmd;
    const other = $`grep ${'^nameserver '} ${file} | grep -qv ${` ${nobody}$`}`.cmd;
    return [
      keepFileTime(file, {
        done: sh(`! { ${has} && ${other}; }`),
        // The file is overwritten. A new file in its place would change the folder's time of modification.
        run: sh(`lines=$(${$`sed ${`s/^nameserver .*/nameserver ${nobody}/`} ${file}`.cmd}); echo "$lines" > ${file}`),
      }),
    ];
  },
  repair: ({ ct1, resolver }) => [writeResolver(ct1, resolver)],
  explanation:
    'Names are looked up only at the server that resolv.conf names. Nobody has that address, so every question stays without an answer. Connections to an address instead of a name still work.',
};
