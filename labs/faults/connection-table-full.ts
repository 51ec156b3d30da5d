import { sh } from '../guards.ts';
import type { Fault } from './fault.ts';

const file = '/proc/sys/net/netfilter/nf_conntrack_max';

export const fault: Fault = {
  id: 'connection-table-full',
  title: 'The table of connections is full.',
  level: 3,
  needs: 'egress',
  machine: 'vm',
  excludes: ['too-many-connections'],
  cause: 'conntrack-full',
  symptoms: ['connectivity.ct1-gateway'],
  // Where the kernel is shared with others it can't be written: then there is nothing to take hold of.
  inject: () => [{ done: sh(`! test -w ${file} || test "$(cat ${file})" -le 4`), run: sh(`echo 4 > ${file}`) }],
  repair: () => [{ done: sh(`! test -w ${file} || test "$(cat ${file})" -ge 65536`), run: sh(`echo 65536 > ${file}`) }],
  tells:
    'Each connection that NAT or a stateful rule may be asked about takes an entry. When there is room for no more the first packet of a new one is dropped, on any hook, and the kernel says so in its log: table full.',
  words: [
    'conntrack full',
    'connection table full',
    'nf_conntrack_max',
    'table full',
    'conntrack max',
    'too many tracked',
  ],
};
