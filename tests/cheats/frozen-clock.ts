import { type Cheat, rightBuild } from './cheat.ts';

export const frozenClock: Cheat = {
  name: 'frozen-clock',
  what: 'a right build, and every new process of the lab host has a clock that is days off, and a date that stands still',
  script: `${rightBuild}
printf '#!/bin/sh\\necho "Thu Jan  1 00:00:00 UTC 1970"\\n' >/root/date
chmod +x /root/date
mount --bind /root/date /usr/bin/date
cat >/root/.bash_profile <<'PROFILE'
[ -n "$AWAY" ] || AWAY=1 exec unshare --time --monotonic 864000 --boottime 864000 bash -l
PROFILE`,
  naive: 'same',
  caught: [],
  seen: /\/usr\/bin\/date/,
};
