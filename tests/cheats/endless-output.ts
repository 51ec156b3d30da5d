import { type Cheat, everyAnswer } from './cheat.ts';

export const endlessOutput: Cheat = {
  name: 'endless-output',
  what: 'tools that never end: they print success at once, and then 1 GB of zeros a second',
  script: `cat >/root/endless <<'LIAR'
#! /bin/sh
cat <<'LINES'
${everyAnswer}
LINES
exec timeout 0.5 cat /dev/zero
LIAR
chmod +x /root/endless
for tool in ip ping curl iptables dig ss nft conntrack bridge python3 getent; do
  mount --bind /root/endless $(readlink -f $(command -v $tool))
done`,
  naive: 'same',
  caught: ['namespaces.ct1', 'bridge.exists'],
  seen: /python3|\/ip\b/,
};
