import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  capturePackets,
  diffFacts,
  emptyRecord,
  observeFacts,
  parsePlace,
  renderRow,
  traceLab,
} from '@handwired/checker';
import { gradedChapters as chapters } from '@handwired/labs/checks';
import { defaultPlan } from '@handwired/host';
import { build } from '@handwired/labs';
import { noSandbox } from './sandbox.ts';
import { type Graded, withGraded } from './grading.ts';
import type { LabHost } from './lab-host.ts';

type Here = Graded & { host: LabHost };

const network = ['namespaces', 'bridge', 'veth', 'addressing', 'connectivity', 'egress', 'dns', 'publish'] as const;

/** What is broken, who asks whom, what the trace must say, and what mends it. */
const deaths: [name: string, breaks: string, asks: string, cause: string, says: RegExp, mends: string][] = [
  [
    'a rule of iptables',
    'iptables -I FORWARD -i br0 -j DROP',
    'ct1 internet',
    'rule',
    /dropped in host by ip filter FORWARD: rule "-i br0 -j DROP"/,
    'iptables -D FORWARD -i br0 -j DROP',
  ],
  [
    'a native rule in a chain that is jumped to',
    `nft -f - <<'END'
table inet wall {
  chain w { tcp dport 80 counter drop; }
  chain f { type filter hook forward priority 10; jump w; }
}
END`,
    'outside host 8080',
    'rule',
    /dropped in host by inet wall f: chain w, rule "tcp dport 80 .*drop"/,
    'nft delete table inet wall',
  ],
  [
    'a policy',
    'iptables -F FORWARD; iptables -P FORWARD DROP; iptables-save > /dev/null',
    'ct2 8.8.8.8',
    'policy',
    /no rule matched it, and its policy is drop/,
    'iptables -P FORWARD ACCEPT',
  ],
  [
    'the container`s own rule',
    'ip netns exec ct1 iptables -A OUTPUT -p icmp -j DROP',
    'ct1 ct2',
    'rule',
    /dropped in ct1 by ip filter OUTPUT/,
    'ip netns exec ct1 iptables -F OUTPUT',
  ],
  [
    'iptables-legacy, which only counts',
    'iptables-legacy -I FORWARD -i br0 -j DROP',
    'ct1 lan',
    'legacy',
    /iptables-legacy counted a packet meanwhile at filter FORWARD: -i br0 -j DROP/,
    'iptables-legacy -F FORWARD',
  ],
  [
    'no route',
    'ip -n ct1 route del default',
    'ct1 internet',
    'no-route',
    /ct1 has no route/,
    'ip -n ct1 route add default via 172.18.0.1',
  ],
  [
    'nobody there',
    'true',
    'ct1 172.18.0.99',
    'no-neighbour',
    /ct1 asks on eth0 who has 172\.18\.0\.99 \(ARP\)/,
    'true',
  ],
  [
    'forwarding',
    'sysctl -qw net.ipv4.ip_forward=0',
    'ct1 internet',
    'forwarding',
    /forwards nothing/,
    'sysctl -qw net.ipv4.ip_forward=1',
  ],
  [
    'no server',
    'pkill -f "http.server 80"',
    'host host 8080',
    'no-listener',
    /172\.18\.0\.11:80 refused it in ct1/,
    'true',
  ],
];

describe('packets that are followed on a lab host', { skip: noSandbox, timeout: 120_000 }, () => {
  const up = Promise.withResolvers<Here>();
  const done = Promise.withResolvers<undefined>();
  let life: Promise<void>;
  let here: Here;
  before(async () => {
    life = withGraded({}, async (graded) => {
      await build(graded.host.session, graded.host.plan, { chapters: network });
      up.resolve(graded);
      await done.promise;
    });
    life.catch(up.reject);
    here = await up.promise;
  });
  after(async () => {
    done.resolve(undefined);
    await life;
  });

  const trace = async (asks: string) => {
    const [from = '', to = '', port] = asks.split(' ');
    const { host, baseline } = here;
    const source = { seat: host.seat, chapters, plan: host.plan, baseline, record: emptyRecord() };
    return traceLab(source, { lab: 'lab', from, to, port: port === undefined ? undefined : Number(port) });
  };
  const sh = (command: string): Promise<string> => here.host.sh(command);

  it('one from outside to the published port is told with its rule, its translation and its answer', async () => {
    const facts = await observeFacts(here.host.seat, { baseline: here.baseline });
    const { end, steps, connections, notes } = await trace('outside host 8080');
    assert.equal(end.verdict, 'answered');
    const [dnat] = steps.flatMap((step) => (step.kind === 'chain' && step.chain === 'PREROUTING' ? step.rules : []));
    assert.match(dnat?.rule ?? '', /--dport 8080 .*-j DNAT --to-destination 172\.18\.0\.11:80$/);
    const places = steps.map((step) => (step.kind === 'link' ? `${step.in} ${step.device} ${step.way}` : ''));
    const way = [
      'the world world0 out',
      'host enp1s0 in',
      'host br0 out',
      'ct1 eth0 in',
      'ct1 eth0 out',
      'host enp1s0 out',
    ];
    let at = -1;
    for (const place of way) assert.ok((at = places.indexOf(place, at + 1)) >= 0, `${place} in ${places.join(', ')}`);
    assert.equal(connections[0]?.connection.reply.source, '172.18.0.11');
    assert.deepEqual(notes, []);
    const after = await observeFacts(here.host.seat, { baseline: here.baseline });
    assert.deepEqual(diffFacts(facts, after), [], 'the lab host is as it was');
  });

  it('a question and a ping are told as well, and what each of them asks', async () => {
    assert.equal((await trace('ct2 1.1.1.1 53')).end.verdict, 'answered');
    const { end, steps } = await trace('ct1 ct2');
    assert.equal(end.verdict, 'answered');
    assert.ok(steps.every(({ in: place }) => ['ct1', 'ct2', 'host'].includes(place)));
  });

  it('one that dies is told with where and why: by rule, policy, counter, route, neighbour, setting or server', async () => {
    for (const [name, breaks, asks, cause, says, mends] of deaths) {
      await sh(`{ ${breaks}\n} && true`).catch(() => undefined);
      const { end } = await trace(asks);
      assert.match(end.because, says, name);
      assert.equal(end.cause, cause, name);
      await sh(mends);
    }
  });

  it('a namespace that is not there is said so', async () => {
    await assert.rejects(trace('10.1.2.3 ct1'), /no namespace of this lab host has the address 10\.1\.2\.3/);
  });

  it('passing several places are lined up, with what matches the filter at one of them', async () => {
    const places = ['ct1', 'br0', 'uplink'].map((word) => parsePlace(word, defaultPlan));
    const rows: string[] = [];
    let told = '';
    const listener = {
      onReady: () =>
        void sh('curl -s example.com/knock/8080').then(
          (text) => (told = text),
          (error: unknown) => (told = String(error)),
        ),
      onDown: () => undefined,
      onRow: (row: Parameters<typeof renderRow>[0]) =>
        void rows.push(renderRow(row, { places, begin: 0, color: false, columns: 100 })),
    };
    await sh('setsid -f ip netns exec ct1 python3 -m http.server 80 --directory /srv/ct1 >/dev/null 2>&1; sleep 0.5');
    const wanted = {
      places,
      filter: 'tcp dst port 8080 and tcp[tcpflags] == tcp-syn',
      snap: 200,
      seconds: 20,
      count: 1,
    };
    const { rows: count } = await capturePackets(here.host.seat, wanted, listener, AbortSignal.timeout(20_000));
    assert.equal(count, 1, told);
    assert.match(
      rows[0] ?? '',
      / SYN .*> 203\.0\.113\.2:8080 +uplink in\n.*> 172\.18\.0\.11:80 +br0 out, ct1:eth0 in$/,
    );
    for (const [word, filter, says] of [
      ['br1', '', /no link br1 on the lab host \(did you mean br0\?\)/],
      ['br0', 'tcp prt 80', /the filter 'tcp prt 80' does not parse: .*syntax error/],
    ] as const) {
      const asked = { ...wanted, places: [parsePlace(word, defaultPlan)], filter };
      await assert.rejects(capturePackets(here.host.seat, asked, listener, AbortSignal.timeout(20_000)), says);
    }
  });
});
