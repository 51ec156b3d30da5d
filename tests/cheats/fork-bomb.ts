import { type Cheat, rightBuild } from './cheat.ts';

/** The usual one starts a thread for each client, which is no longer possible. */
const server = `python3 -c 'import http.server as s; s.HTTPServer(("0.0.0.0", 80), s.SimpleHTTPRequestHandler).serve_forever()'`;

export const forkBomb: Cheat = {
  name: 'fork-bomb',
  what: 'a right build, and as many processes as the lab host may have: no shell can be started there any more',
  script: `${rightBuild.replace('python3 -m http.server 80 --bind 0.0.0.0 --directory /srv/ct1', server)}
cat >/root/bomb.py <<'PYTHON'
import os, time
while True:
    try:
        if os.fork() == 0:
            time.sleep(1000)
    except OSError:
        time.sleep(0.01)
PYTHON
setsid python3 /root/bomb.py </dev/null >/dev/null 2>&1 &
until ! (exec /bin/true) 2>/dev/null; do :; done`,
  naive: 'same',
  caught: [],
  seen: /./,
};
