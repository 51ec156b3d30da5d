import { type Cheat, liar } from './cheat.ts';

export const shadowedTools: Cheat = {
  name: 'shadowed-tools',
  what: 'the shell has functions, aliases and a PATH with other tools in it; nothing is built',
  script: `mkdir /root/.bin
${liar('/root/.bin/dig')}
for tool in iptables; do cp /root/.bin/dig /root/.bin/$tool; done
cat >/root/.bash_profile <<'PROFILE'
PATH=/root/.bin:$PATH
curl() { /root/.bin/dig; }
ip() { /root/.bin/dig; }
shopt -s expand_aliases
alias ping=/root/.bin/dig
PROFILE`,
  naive: 'pass',
  caught: ['namespaces.ct1', 'bridge.exists', 'egress.ct1', 'publish.outside'],
  seen: /there is none of that name/,
};
