import assert from 'node:assert/strict';
import { test } from 'node:test';
import { translateRule, renderNftTable } from './nft.ts';

const said = (command: string): string => {
  const { chain, words } = translateRule(command);
  return [chain, ...words].join(' ');
};

test('A rule for iptables is the same rule in the words of nft', () => {
  for (const [iptables, nft] of [
    ['iptables -A FORWARD -i br0 ! -o br0 -j ACCEPT', 'forward iifname br0 oifname != br0 accept'],
    [
      'iptables -A FORWARD -o br0 -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment x -j ACCEPT',
      'forward oifname br0 ct state related,established accept',
    ],
    [
      'iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -p tcp --dport 8080 -j DNAT --to-destination 10.0.0.2:80',
      'prerouting_nat fib daddr type local tcp dport 8080 dnat to 10.0.0.2:80',
    ],
    [
      'iptables -t nat -A POSTROUTING -s 10.0.0.0/8 -d 10.0.0.2 -m conntrack --ctstate DNAT -j MASQUERADE',
      'postrouting_nat ip saddr 10.0.0.0/8 ip daddr 10.0.0.2 ct status dnat masquerade',
    ],
  ] as const) {
    assert.equal(said(iptables), nft);
  }
});

test('What has no translation is refused, not left out', () => {
  for (const command of [
    'iptables -A FORWARD -m limit --limit 3/s -j ACCEPT',
    'iptables -t mangle -A FORWARD -j ACCEPT',
    'iptables -A INPUT -j ACCEPT',
    "iptables -A FORWARD -m comment --comment 'two words' -j ACCEPT",
    'ip6tables -A FORWARD -j ACCEPT',
  ]) {
    assert.throws(() => translateRule(command), TypeError, command);
  }
});

test('The table has those chains that its rules use', () => {
  assert.equal(
    renderNftTable([translateRule('iptables -A FORWARD -i br0 -j DROP')]),
    `add table ip by_hand
add chain ip by_hand forward { type filter hook forward priority 0; policy accept; }`,
  );
});
