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
    'The file nsswitch.conf says where the C library looks for names, and without dns in the line hosts it asks no server: no packet leaves, whatever resolv.conf says. Tools that ask by themselves, such as dig, work.',
};
