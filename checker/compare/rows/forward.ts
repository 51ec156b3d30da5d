import { always, asks, asksOnly, readView, onlyDocker, onlyYours, type Row, ruleRow, type Why } from '../row.ts';
import type { Rule } from '../rules.ts';
import type { Side } from '../side.ts';

const inFilter = ({ table, base }: Rule): boolean => table === 'filter' && base === 'FORWARD';
const accepts = (rule: Rule): boolean => inFilter(rule) && rule.target === 'ACCEPT';
/** Since Docker 28 one rule accepts everything from the bridge, whatever its destination. */
const isAllFrom = (rule: Rule): boolean => asksOnly(rule, { '-i': 'BRIDGE' });
const oneForBoth: Why = {
  when: (_yours, docker) => docker.is === 'filter FORWARD -i BRIDGE ACCEPT',
  why: 'Docker has one rule for what goes out of the bridge and for what goes back into it; until version 27 it had two, as you.',
};

const isAnother = ({ asks: has }: Rule): boolean => [...has.values()].includes('ANOTHER');

const readPolicy = ({ host }: Side): string[] =>
  host.iptables
    .filter(({ family, name }) => family === 'ip' && name === 'filter')
    .flatMap(({ chains }) => chains.find(({ name }) => name === 'FORWARD')?.policy ?? []);

/** User-defined chains, in their order. */
const ownChains = ({ host }: Side): string[] =>
  host.iptables.flatMap(({ family, name, chains }) =>
    family === 'ip' ? chains.flatMap((chain) => (chain.policy === null ? `${name} ${chain.name}` : [])) : [],
  );

/** Rows about forwarding and the chain FORWARD. */
export const forward: readonly Row[] = [
  {
    id: 'forwarding',
    object: 'forwarding',
    step: ['egress', 'forwarding'],
    view: ({ host }) => {
      const value = host.sysctls['net/ipv4/ip_forward'] ?? 'unknown';
      return readView(value, `net.ipv4.ip_forward = ${value}`);
    },
    whys: [
      {
        when: (yours, docker) => yours.is === '0' && docker.is === '1',
        why: 'Docker turns it on for the whole host. Per interface, as `net.ipv4.conf.IF.forwarding`, is enough for yours.',
      },
    ],
  },
  {
    id: 'policy',
    object: 'policy of FORWARD',
    step: ['egress', 'forwarding'],
    view: (side) =>
      readView([...new Set(readPolicy(side))].join(), ...readPolicy(side).map((policy) => `-P FORWARD ${policy}`)),
    whys: [
      {
        when: (yours, docker) => yours.is !== 'DROP' && docker.is === 'DROP',
        why: 'Docker found forwarding off and turned it on, which makes the host a router for everybody. So it closes FORWARD for all that no rule accepts. Yours stays open, and is kept by rules.',
      },
      {
        when: (yours, docker) => yours.is === 'DROP' && docker.is === 'ACCEPT',
        why: 'Docker found forwarding on: then somebody else had made the host a router before, and Docker leaves the policy alone.',
      },
    ],
  },
  {
    id: 'chains',
    object: 'chains of its own',
    source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/iptabler.go: setupIPChains',
    view: (side) => readView(String(ownChains(side).length > 0), ...ownChains(side)),
    whys: [
      {
        when: (yours, docker) => yours.is === 'false' && docker.is === 'true',
        why: 'Rules in chains of its own can be taken out and written anew without touching what others have in FORWARD, and their order does not depend on who came first. DOCKER-USER is for yours: Docker leaves it empty and asks it first.',
      },
      always(
        "The chains are the maker's own: what matters is which rules a packet meets, and the rows below tell that.",
      ),
    ],
  },
  ruleRow({
    id: 'bridged',
    object: 'from bridge to bridge',
    step: ['connectivity', 'allow'],
    known: 'filter FORWARD -i BRIDGE -o BRIDGE ACCEPT',
    picks: (rule) => accepts(rule) && (asksOnly(rule, { '-i': 'BRIDGE', '-o': 'BRIDGE' }) || isAllFrom(rule)),
    whys: [
      oneForBoth,
      onlyDocker(
        'You have no rule for it. None is needed as long as the policy of FORWARD is ACCEPT, or br_netfilter is off.',
      ),
    ],
  }),
  ruleRow({
    id: 'out',
    object: 'out of the bridge',
    step: ['egress', 'out'],
    known: 'filter FORWARD ! -o BRIDGE -i BRIDGE ACCEPT',
    picks: (rule) =>
      accepts(rule) && asks(rule, { '-i': 'BRIDGE' }) && !isAnother(rule) && rule.asks.get('-o') !== 'BRIDGE',
    whys: [
      oneForBoth,
      onlyDocker('You have no rule for it, which works as long as the policy of FORWARD is ACCEPT.'),
      {
        when: (yours) => / -o [a-z]/.test(yours.is),
        why: 'Yours names the uplink. Docker names none: any way that is not back into the bridge, so that it still holds when the host gets another uplink.',
      },
    ],
  }),
  ruleRow({
    id: 'back',
    object: 'answers back',
    step: ['egress', 'back'],
    known: 'filter FORWARD --ctstate ESTABLISHED,RELATED -o BRIDGE ACCEPT',
    picks: (rule) => accepts(rule) && asks(rule, { '-o': 'BRIDGE', '--ctstate': 'ESTABLISHED,RELATED' }),
    whys: [
      onlyDocker('You have no rule for it, which works as long as the policy of FORWARD is ACCEPT.'),
      {
        when: (yours) => / -i [a-z]/.test(yours.is),
        why: 'Yours names the uplink that answers come by. Docker names none.',
      },
    ],
  }),
  ruleRow({
    id: 'isolation',
    object: 'other networks and containers, FORWARD',
    source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/network.go: setupNonInternalNetworkRules',
    picks: (rule) => inFilter(rule) && isAnother(rule),
    whys: [
      onlyDocker(
        'Docker keeps each of its networks to itself, and what belongs to the others stands in the same chains. You have one network.',
      ),
    ],
  }),
];

/** Rows about direct access to containers, and the rules against it. */
export const guards: readonly Row[] = [
  ruleRow({
    id: 'direct',
    object: 'direct access from outside',
    step: ['egress', 'protect'],
    picks: (rule) =>
      rule.table === 'raw' && rule.target === 'DROP' && asks(rule, { '-d': 'CONTAINER', '! -i': 'BRIDGE' }),
    whys: [
      onlyYours(
        "Docker has had this rule since version 28, and this one is older: who is on its network and adds a route reaches a published port at the container's own address.",
      ),
      onlyDocker("You have none: who is on the lab host's network and adds a route reaches your container directly."),
    ],
  }),
  ruleRow({
    id: 'guard',
    object: 'loopback addresses from containers',
    step: ['publish', 'guard'],
    picks: (rule) => rule.table === 'raw' && rule.target === 'DROP' && asks(rule, { '-d': '127.0.0.0/8' }),
    whys: [
      onlyYours(
        'It closes what route_localnet opens. With docker-proxy Docker does not set that on its bridge, so there is nothing to close.',
      ),
    ],
  }),
  ruleRow({
    id: 'unpublished',
    object: 'the rest into the bridge',
    source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/network.go: setDefaultForwardRule',
    picks: (rule) => inFilter(rule) && rule.target === 'DROP' && asksOnly(rule, { '! -i': 'BRIDGE', '-o': 'BRIDGE' }),
    whys: [
      onlyDocker('Docker closes its bridge by a rule of its own, so that it does not depend on the policy of FORWARD.'),
    ],
  }),
];
