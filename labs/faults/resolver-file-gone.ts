import { fileOf, folderOf, isOurs } from '../07-dns/files.ts';
import { not } from '../guards.ts';
import { keepingTime } from './engine/parts.ts';
import type { Fault } from './fault.ts';

export const fault: Fault = {
  id: 'resolver-file-gone',
  title: "A container has no resolver file of its own, and reads the lab host's.",
  level: 1,
  needs: 'dns',
  conditions: { resolver: 'stub' },
  excludes: ['resolver-not-listening'],
  cause: 'resolver-file-missing',
  symptoms: ['dns.ct2'],
  inject: ({ $, plan: { ct2 } }) => [
    keepingTime($, folderOf(ct2), { done: not($`test -e ${fileOf(ct2)}`), run: $`rm ${fileOf(ct2)}` }),
  ],
  repair: ({ $, plan: { ct2, resolver } }) => [
    { done: isOurs($, ct2, resolver), run: $`echo nameserver ${resolver} > ${fileOf(ct2)}` },
  ],
  tells:
    "The command ip netns exec puts a file of /etc/netns over the lab host's for one program, if there is one. Without it the container reads nameserver 127.0.0.53, and that is its own loopback, where nobody listens.",
  words: [
    'no resolv.conf',
    'resolv.conf missing',
    'resolver file missing',
    '127.0.0.53',
    'no resolver file',
    'resolv.conf host',
    'etc netns missing',
  ],
};
