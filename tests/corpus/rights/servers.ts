import type { Recipe } from '../recipe.ts';

const page = `mkdir -p /srv/ct1\necho 'Hello from ct1' >/srv/ct1/index.html`;
const listens = 'until ip netns exec ct1 ss -Hltn sport = 80 | grep -q .; do :; done';
const quiet = '</dev/null >/dev/null 2>&1';
const python = (bind: string): string => `${page}
setsid --fork ip netns exec ct1 python3 -m http.server 80 --bind ${bind} --directory /srv/ct1 ${quiet}
${listens}`;

/** Web servers in ct1. */
export const servers: Recipe[] = [
  { name: 'python on 0.0.0.0', script: python('0.0.0.0') },
  { name: 'python on .11', script: python('172.18.0.11') },
  { name: 'python on ::, which takes IPv4 too', script: python('::') },
  {
    name: 'socat',
    script: `${page}
cat >/srv/ct1/answer <<'END'
#! /bin/sh
while read -r line && [ "\${#line}" -gt 1 ]; do :; done
printf 'HTTP/1.0 200 OK\\r\\nContent-Type: text/plain\\r\\n\\r\\n'
cat /srv/ct1/index.html
END
chmod +x /srv/ct1/answer
setsid --fork ip netns exec ct1 socat TCP-LISTEN:80,fork,reuseaddr EXEC:/srv/ct1/answer ${quiet}
${listens}`,
  },
  {
    name: 'nc, one client after the other',
    kind: 'one by one',
    script: `${page}
cat >/srv/ct1/serve <<'END'
#! /bin/sh
while :; do
  { printf 'HTTP/1.0 200 OK\\r\\n\\r\\n'; cat /srv/ct1/index.html; } | nc -l -N 0.0.0.0 80
done
END
chmod +x /srv/ct1/serve
setsid --fork nsenter --net=/run/netns/ct1 /srv/ct1/serve ${quiet}
${listens}`,
  },
];
