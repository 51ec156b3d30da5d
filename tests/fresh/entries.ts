import type { Circumstances, Typing } from './machine.ts';
import { type Suite, suites } from './suites.ts';

/** A line that is typed on the machine. `again`: typed once more afterwards, in other conditions. */
interface Line {
  line: string;
  again?: Typing;
}

/** One machine, and what is typed there before README's uninstall. */
export interface Entry {
  title: string;
  suite: Suite;
  circumstances?: Circumstances;
  /** Typed first by a plain user, whose administrator gives what it asks for. */
  given?: string;
  lines: Line[];
  /** `make test` has it too. The others are for `make test-fresh`. */
  always?: true;
}

const sandbox = 'make demo DRIVER=sandbox';
const vm = 'make demo DRIVER=vm';
const german = `apt-get -q update && apt-get -q install -y --no-install-recommends locales &&
  localedef -i de_DE -f UTF-8 de_DE.UTF-8`;

/** Every machine. A root as it comes has no apt lists yet; Debian 12 and Ubuntu 24.04 have Node 18. */
export const entries: Entry[] = [
  { title: 'Debian 13, sandboxes', suite: suites.trixie, lines: [{ line: sandbox }], always: true },
  { title: 'Debian 12, sandboxes', suite: suites.bookworm, lines: [{ line: sandbox }] },
  { title: 'Ubuntu 24.04, sandboxes', suite: suites.noble, lines: [{ line: sandbox }] },
  { title: 'Debian 13, as README has it', suite: suites.trixie, lines: [{ line: 'make lab' }] },
  { title: 'Debian 13, VMs', suite: suites.trixie, lines: [{ line: vm }] },
  { title: 'Debian 12, VMs', suite: suites.bookworm, lines: [{ line: vm }] },
  { title: 'Ubuntu 24.04, VMs', suite: suites.noble, lines: [{ line: vm }] },
  {
    title: 'Debian 13 without the network once all is set up',
    suite: suites.trixie,
    lines: [{ line: sandbox, again: { network: false } }],
  },
  {
    title: 'Debian 13 in German, with apt lists',
    suite: suites.trixie,
    circumstances: { prepare: german, env: { LANG: 'de_DE.UTF-8' } },
    lines: [{ line: sandbox }],
  },
  {
    title: "Debian 13, a tarball's checkout",
    suite: suites.trixie,
    circumstances: { tarball: true },
    lines: [{ line: 'make verify' }],
  },
  {
    title: 'Debian 13 without Node',
    suite: suites.trixie,
    circumstances: { prepare: 'apt-get -q purge -y --autoremove nodejs npm' },
    lines: [{ line: 'make deps' }],
  },
  {
    title: 'Debian 13 without /dev/net/tun',
    suite: suites.trixie,
    circumstances: { env: { FRESH_TUN: 'no' } },
    lines: [{ line: 'make lab' }],
  },
  ...(['trixie', 'bookworm', 'noble'] as const).flatMap((name) => [
    {
      title: `${suites[name].title}, sandboxes of a plain user`,
      suite: suites[name],
      circumstances: { user: 'student' },
      given: 'make deps && node_modules/.bin/lab setup sandbox',
      lines: [{ line: sandbox }],
    },
    {
      title: `${suites[name].title}, VMs of a plain user`,
      suite: suites[name],
      circumstances: { user: 'student' },
      given: 'make deps && timeout 60 node_modules/.bin/lab setup vm',
      lines: [{ line: vm }],
    },
  ]),
];
