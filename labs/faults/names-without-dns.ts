import { $, type Fault, sh } from '@handwired/course';
import type { Container } from '@handwired/host';
import { settingsFolder } from '../07-dns/chapter.ts';
import { keepFileTime } from './parts.ts';

const findNsswitch = (ct: Container): string => `${settingsFolder(ct)}/nsswitch.conf`;

export const fault: Fault = {
  id: 'names-without-dns',
  title: 'A container looks names up in files only.',
  level: 3,
  needs: 'dns',
  excludes: [],
  cause: 'nsswitch-without-dns',
  symptoms: ['dns.ct1'],
  inject: ({ ct1 }) => [
    keepFileTime(settingsFolder(ct1), {
      done: $`grep -qx 'hosts: files' ${findNsswitch(ct1)}`,
      run: sh(
        `${$`echo 'hosts: files' > ${findNsswitch(ct1)}`.cmd}; ${$`touch -r /etc/nsswitch.conf ${findNsswitch(ct1)}`.cmd}`,
      ),
    }),
  ],
  repair: ({ ct1 }) => [{ done: $`! test -e ${findNsswitch(ct1)}`, run: $`rm ${findNsswitch(ct1)}` }],
  explanation:
    'The file nsswitch.conf tells the C library where to look for names. Without dns in its line hosts, the library asks no server. No packet leaves, whatever resolv.conf says. Tools that send their own questions, such as dig, still work.',
};
