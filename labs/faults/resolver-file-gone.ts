import { $, type Fault, not } from '@handwired/course';
import { resolverFile, settingsFolder, writeResolver } from '../07-dns/chapter.ts';
import { keepFileTime } from './parts.ts';

export const fault: Fault = {
  id: 'resolver-file-gone',
  title: "A container has no resolver file of its own, and reads the lab host's.",
  level: 1,
  needs: 'dns',
  conditions: { resolver: 'stub' },
  excludes: ['resolver-not-listening'],
  cause: 'resolver-file-missing',
  symptoms: ['dns.ct2'],
  inject: ({ ct2 }) => [
    keepFileTime(settingsFolder(ct2), { done: not($`test -e ${resolverFile(ct2)}`), run: $`rm ${resolverFile(ct2)}` }),
  ],
  repair: ({ ct2, resolver }) => [writeResolver(ct2, resolver)],
  explanation:
    "If /etc/netns has a file for the container, ip netns exec puts it over the lab host's file for one program. Without it the container reads nameserver 127.0.0.53. That address is the container's own loopback, where nobody listens.",
};
