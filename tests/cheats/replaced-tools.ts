import { type Cheat, liar } from './cheat.ts';

export const replacedTools: Cheat = {
  name: 'replaced-tools',
  what: 'ip, ping, curl, iptables, dig, ss and nft are scripts that print success; nothing is built',
  script: `${liar('/root/liar')}
for tool in ip ping curl iptables dig ss nft; do
  path=$(command -v $tool)
  rm $path
  cp /root/liar $path
done`,
  naive: 'pass',
  caught: ['namespaces.ct1', 'bridge.exists', 'egress.ct1', 'publish.outside'],
  seen: /\/usr\/s?bin\/ip\b/,
};
