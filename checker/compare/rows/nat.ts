import {
  asks,
  asksOnly,
  readView,
  nothing,
  onlyDocker,
  onlyYours,
  findProxy,
  type Row,
  ruleRow,
  type Sides,
} from '../row.ts';
import type { Rule } from '../rules.ts';
import type { Side } from '../side.ts';

const inNat = (rule: Rule, base: string, target: string): boolean =>
  rule.table === 'nat' && rule.base === base && rule.target === target;
const isPublished = (rule: Rule): boolean => asks(rule, { '-p': 'tcp', '--dport': 'HOSTPORT' });
const hasProxy = ({ docker }: Sides): boolean => findProxy(docker).length > 0;

const readLocalnet = ({ host, bridge }: Side): string | undefined =>
  host.sysctls[`net/ipv4/conf/${bridge?.name ?? ''}/route_localnet`];

/** Rows about NAT: outbound, inbound, and from the host itself to a published port. */
export const nat: readonly Row[] = [
  ruleRow({
    id: 'masquerade',
    object: 'source on the way out',
    step: ['egress', 'masquerade'],
    known: 'nat POSTROUTING ! -o BRIDGE -s SUBNET MASQUERADE',
    picks: (rule) =>
      ['MASQUERADE', 'SNAT'].includes(rule.target) &&
      rule.base === 'POSTROUTING' &&
      asks(rule, { '-s': 'SUBNET' }) &&
      !rule.asks.has('-d'),
    whys: [
      {
        when: (yours) => / -o [a-z]/.test(yours.is),
        why: 'Yours names the uplink, so a host with a second one needs a second rule. Docker names none: whatever does not go back into the bridge.',
      },
      {
        when: (yours) => yours.is.endsWith('SNAT'),
        why: 'Yours names the address. MASQUERADE takes whichever address the way out has at that moment.',
      },
    ],
  }),
  ruleRow({
    id: 'others',
    object: 'other networks and containers, nat',
    source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/network.go: setupNonInternalNetworkRules',
    picks: (rule) => rule.table === 'nat' && rule.target !== 'RETURN' && [...rule.asks.values()].includes('ANOTHER'),
    whys: [onlyDocker('Docker has it once more for each of its networks, and for each port that is published.')],
  }),
  ruleRow({
    id: 'dnat',
    object: 'published port, from outside',
    step: ['publish', 'dnat'],
    known: 'nat PREROUTING ! -i BRIDGE --dport HOSTPORT --dst-type LOCAL --to-destination CONTAINER:PORT -p tcp DNAT',
    picks: (rule) => inNat(rule, 'PREROUTING', 'DNAT') && isPublished(rule),
    whys: [
      onlyDocker('You have no such rule: nothing outside reaches your published port.'),
      {
        when: (yours, docker, sides) =>
          yours.is.includes('dst-type LOCAL') && docker.is.includes('! -i BRIDGE') && hasProxy(sides),
        why: 'The same, but for what comes from the bridge itself: that is left alone (`! -i`), and ends at docker-proxy on the host.',
      },
      {
        when: (yours, docker) => !yours.is.includes('dst-type LOCAL') && docker.is.includes('dst-type LOCAL'),
        why: "Yours takes the port's packets to anywhere; Docker's only those for an address of the host (dst-type LOCAL).",
      },
    ],
  }),
  ruleRow({
    id: 'local',
    object: "published port, from the host's own addresses",
    step: ['publish', 'local'],
    known:
      'nat OUTPUT ! -d 127.0.0.0/8 ! -i BRIDGE --dport HOSTPORT --dst-type LOCAL --to-destination CONTAINER:PORT -p tcp DNAT',
    picks: (rule) => inNat(rule, 'OUTPUT', 'DNAT') && isPublished(rule),
    whys: [
      {
        when: (_yours, docker, sides) => docker.is.includes('! -d 127.0.0.0/8') && hasProxy(sides),
        why: 'Docker leaves 127.0.0.0/8 out: what the host sends there ends at docker-proxy.',
      },
      onlyDocker('You have no such rule: packets that the host makes itself never pass PREROUTING.'),
    ],
  }),
  {
    id: 'loopback',
    object: 'published port at 127.0.0.1',
    step: ['publish', 'loopback'],
    view: (side) => {
      const proxies = findProxy(side);
      const localnet = readLocalnet(side);
      if (proxies.length > 0) return readView('proxy', ...proxies);
      if (localnet !== '1') return nothing;
      return readView('localnet', `net.ipv4.conf.${side.bridge?.name ?? ''}.route_localnet = 1`);
    },
    whys: [
      {
        when: (yours, docker) => yours.is === 'localnet' && docker.is === 'proxy',
        why: "A program on the host takes the connection and opens another to the container. It needs no setting that lets loopback addresses onto the bridge; the container sees the bridge's address as the client, as with yours. With docker-proxy off Docker does it your way.",
      },
      onlyDocker('Nothing of yours answers at 127.0.0.1; Docker has a program that does.'),
    ],
  },
  ruleRow({
    id: 'source',
    object: "source of the host's own requests",
    step: ['publish', 'source'],
    picks: (rule) =>
      inNat(rule, 'POSTROUTING', 'MASQUERADE') && asksOnly(rule, { '-o': 'BRIDGE', '--src-type': 'LOCAL' }),
    whys: [
      onlyYours(
        "What comes from 127.0.0.1 must get another source before it enters the bridge. The proxy's own connection has the bridge's address already.",
      ),
    ],
  }),
  ruleRow({
    id: 'accept',
    object: 'published port past FORWARD',
    step: ['publish', 'accept'],
    known: 'filter FORWARD ! -i BRIDGE --dport PORT -d CONTAINER -o BRIDGE -p tcp ACCEPT',
    picks: (rule) =>
      rule.table === 'filter' &&
      rule.base === 'FORWARD' &&
      rule.target === 'ACCEPT' &&
      asks(rule, { '-d': 'CONTAINER', '--dport': 'PORT' }),
    whys: [
      onlyDocker('You have no rule for it, which works as long as the policy of FORWARD is ACCEPT.'),
      {
        when: (yours, docker) => yours.is.includes('--ctstate DNAT') && docker.is.includes('! -i BRIDGE'),
        why: "Yours lets in what a DNAT rule has sent on. Docker asks only for the container's port and that it does not come from the bridge: so it also lets in who asks for the container's own address.",
      },
      {
        when: (yours) => !yours.is.includes('--ctstate'),
        why: "Both let in all that is for the container's port; Docker's only what does not come from the bridge.",
      },
    ],
  }),
  ruleRow({
    id: 'self',
    object: 'published port, from containers',
    step: ['publish', 'hairpin'],
    known: 'nat POSTROUTING --dport PORT -d CONTAINER -p tcp -s CONTAINER MASQUERADE',
    picks: (rule) => inNat(rule, 'POSTROUTING', 'MASQUERADE') && asks(rule, { '-d': 'CONTAINER', '--dport': 'PORT' }),
    whys: [
      onlyYours('With docker-proxy on, what containers ask for at a published port ends at the proxy.'),
      {
        when: (yours, docker) => yours.is.includes('-s SUBNET') && docker.is.includes('-s CONTAINER'),
        why: "Yours serves every container of the subnet. Docker's is for the container itself alone, and waits for a use: with docker-proxy on, what containers ask never comes here.",
      },
      onlyDocker('You have no such rule: a container that asks its own published port gets no answer.'),
    ],
  }),
  ruleRow({
    id: 'left-alone',
    object: 'what containers ask the host for',
    source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/network.go: setupNonInternalNetworkRules',
    picks: (rule) => rule.table === 'nat' && rule.target === 'RETURN' && rule.asks.has('-i'),
    whys: [onlyDocker("Where docker-proxy answers them, containers' requests skip the DNAT rules.")],
  }),
];
