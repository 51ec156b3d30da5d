import assert from 'node:assert/strict';
import { world } from '@handwired/host';
import type { LabHost } from './lab-host.ts';

const { uplink, site, outside, lanPeer } = world;

/** What every right build does, each seen by a plain command: name, command on the lab host, what it must print. */
function experiments({ plan }: LabHost): [name: string, command: string, expected: RegExp][] {
  const { ct1, ct2, hostPort, containerPort, subnet, gateway } = plan;
  const inWorld = 'nsenter --net=/proc/$(cat /run/handwired/world.pid)/ns/net';
  const curl = 'curl -sS --max-time 3';
  const hello = new RegExp(`^Hello from ${ct1.name}\n$`);
  const fromHost = new RegExp(` from ${uplink.address.replaceAll('.', '\\.')}:\\d+\n$`);
  const answered = / 0% packet loss/;
  return [
    ['ct1 pings ct2', `ip netns exec ct1 ping -c 1 -W 2 ${ct2.address}`, answered],
    ['ct2 pings ct1', `ip netns exec ct2 ping -c 1 -W 2 ${ct1.address}`, answered],
    ['ct1 pings the internet', 'ip netns exec ct1 ping -c 1 -W 2 8.8.8.8', answered],
    ['ct2 pings the internet', 'ip netns exec ct2 ping -c 1 -W 2 1.1.1.1', answered],
    ['ct1 asks the resolver', `ip netns exec ct1 dig +short ${site.name}`, new RegExp(`^${site.address}\n$`)],
    ['ct2 gets a page by name', `ip netns exec ct2 ${curl} http://${site.name}/`, fromHost],
    ['ct1 gets a page by HTTPS', `ip netns exec ct1 ${curl} https://${site.name}/`, fromHost],
    ['only our own port is sent on', `ip netns exec ct2 ${curl} http://${site.address}:8080/`, fromHost],
    ['the host gets it by loopback', `${curl} http://127.0.0.1:${hostPort}/`, hello],
    ['the host gets it by its address', `${curl} http://${uplink.address}:${hostPort}/`, hello],
    ['the host gets it by the gateway', `${curl} http://${gateway}:${hostPort}/`, hello],
    [
      'a client outside gets it',
      `${inWorld} ${curl} --interface ${outside} http://${uplink.address}:${hostPort}/`,
      hello,
    ],
    ['a LAN peer gets it', `${inWorld} ${curl} --interface ${lanPeer} http://${uplink.address}:${hostPort}/`, hello],
    ['ct2 gets it', `ip netns exec ct2 ${curl} http://${uplink.address}:${hostPort}/`, hello],
    ['ct2 gets it again', `ip netns exec ct2 ${curl} http://${uplink.address}:${hostPort}/`, hello],
    ['ct1 gets it from itself', `ip netns exec ct1 ${curl} http://${uplink.address}:${hostPort}/`, hello],
    ['ct2 gets it directly', `ip netns exec ct2 ${curl} http://${ct1.address}:${containerPort}/`, hello],
    ['ct1 sees who asks', 'cat /run/ct1-web.log', new RegExp(`^${outside} .*\n${lanPeer} `, 'm')],
    ['ct1 sees ct2 as it is', 'cat /run/ct1-web.log', new RegExp(`^${ct2.address} .*"GET / `, 'm')],
    [
      'a LAN peer does not get in directly',
      `${inWorld} ip route replace ${subnet} via ${uplink.address}
      for to in ${ct1.address} ${ct2.address}; do ${inWorld} ping -c 1 -W 0.5 -I ${lanPeer} $to || echo none; done
      ${inWorld} curl -sS --max-time 0.5 --interface ${lanPeer} http://${ct1.address}:${containerPort}/ || echo none
      ${inWorld} ip route del ${subnet} via ${uplink.address}`,
      /100% packet loss[^]*none[^]*100% packet loss[^]*none[^]*none\n$/,
    ],
  ];
}

/** Runs every experiment of a right build on the lab host; the message names those that came out otherwise. */
export async function assertWorks(host: LabHost): Promise<void> {
  const wrong: string[] = [];
  for (const [name, command, expected] of experiments(host)) {
    const { stdout, stderr } = await host.session.exec(command);
    if (!expected.test(stdout)) wrong.push(`${name}: ${stdout}${stderr}`);
  }
  assert.deepEqual(wrong, []);
}

/**
 * What there is on a lab host that a build could leave behind, as lines to compare: links, addresses, routes, rules,
 * sysctls, namespaces, files, processes. Without what changes by itself; empty base chains are no residue.
 */
export async function snapshot(host: LabHost): Promise<Set<string>> {
  // Queue and operstate tell whether a link that is down has been up before.
  const link = `sed 's/^[0-9]*: /link /; s/@if[0-9]*//; s/qdisc no[a-z]*//; s/state [A-Z]*//'`;
  const of = (where: string): string => `${where} ip -o link | ${link}; ${where} ip -4 -o addr | sed 's/^[0-9]*://'
    ${where} ip -4 route show table all; ${where} ip rule; ${where} bridge -d link | ${link}; ${where} ss -Hltun`;
  const text = await host.sh(`exec 2>&1
    ${of('')}
    for n in $(ip netns list | cut -d' ' -f1); do { ${of('ip netns exec $n')}; } | sed "s/^/[$n] /"; echo "[$n]"; done
    for t in raw mangle nat filter; do iptables -t $t -S | sed "s/^/$t /" | grep -v 'P .* ACCEPT$'; done
    nft list table inet keep; nft list tables | grep -v '^table ip '
    sysctl -a -r '^net[.]' | grep -vE 'conntrack_count|fastopen_key|mtu_expires'
    find /etc /srv /root /usr/local -xdev -printf '%p %y %m %s %l\\n'; sed 's/^/text /' /etc/resolv.conf /etc/hosts
    find /run -xdev -path /run/handwired -prune -o -printf '%p %y %m\\n'
    ps -eo args | grep -vE 'sshd|handwired=|/bin/sh -c|^ps |^grep'`);
  return new Set(text.split('\n'));
}

/** Fails with the lines that are only in one of two snapshots. */
export function assertSame(actual: Set<string>, expected: Set<string>, message?: string): void {
  const without = (one: Set<string>, other: Set<string>): string[] => [...one].filter((line) => !other.has(line));
  const changed = { new: without(actual, expected), gone: without(expected, actual) };
  assert.deepEqual(changed, { new: [], gone: [] }, message && `${message}: ${JSON.stringify(changed)}`);
}
