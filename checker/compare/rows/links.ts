import { always, readView, nothing, onlyDocker, type Row } from '../row.ts';
import { listRules } from '../rules.ts';
import { findAddress, type Side } from '../side.ts';

/** The part of an address that the prefix leaves to hosts: 172.17.0.1/16 -> 0.1 */
function hostPart(address: string, prefix: number): string {
  const bytes = address.split('.').map(Number);
  return bytes
    .map((byte, at) => byte & (0xff >> Math.min(8, Math.max(0, prefix - 8 * at))))
    .slice(Math.floor(prefix / 8))
    .join('.');
}

const upDown = (up: boolean): string => (up ? 'up' : 'down');

/** 02:42 and the address: daemon/libnetwork/netutils/utils.go, GenerateMACFromIP. */
const derivedMac = (address: string): string =>
  ['02', '42', ...address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))].join(':');

const isDerived = ({ eth0 }: Side): boolean => eth0?.mac === derivedMac(findAddress(eth0)?.address ?? '');

const readHairpin = ({ host, port }: Side): boolean =>
  host.ports.some(({ device, hairpin }) => device === port?.name && hairpin);

/** Rows about namespaces, interfaces, addresses and routes. */
export const links: readonly Row[] = [
  {
    id: 'netns',
    object: 'network namespace',
    step: ['namespaces', 'add'],
    view: ({ netns, whose }) => readView(whose === 'yours' ? 'named' : 'kept', netns),
    whys: [
      always(
        'Both are kept by a mount. `ip netns` puts it where it finds it by a name that people type; Docker keeps it under a path of its own. `nsenter --net=PATH` enters either.',
      ),
    ],
  },
  {
    id: 'lo',
    object: 'loopback inside',
    step: ['addressing', 'loopback'],
    view: ({ inner }) => {
      const lo = inner.links.find(({ loopback }) => loopback);
      return lo ? readView(upDown(lo.up), `lo ${upDown(lo.up)}, ${findAddress(lo)?.address ?? 'no address'}`) : nothing;
    },
    whys: [],
  },
  {
    id: 'bridge',
    object: 'bridge',
    step: ['bridge', 'add'],
    view: ({ bridge }) =>
      bridge ? readView(`${bridge.kind ?? ''} ${upDown(bridge.up)}`, `${bridge.name}, ${upDown(bridge.up)}`) : nothing,
    whys: [],
    remark: 'The same object; only the name is another.',
  },
  {
    id: 'gateway',
    object: "bridge's address",
    step: ['bridge', 'address'],
    view: ({ bridge }) => {
      const own = findAddress(bridge);
      return own
        ? readView(`${hostPart(own.address, own.prefix)}/${own.prefix}`, `${own.address}/${own.prefix}`)
        : nothing;
    },
    whys: [always('Docker takes the first address of its network, and another prefix length where it was told to.')],
    remark: 'The first address of its subnet, in both.',
  },
  {
    id: 'cable',
    object: 'cable into the bridge',
    step: ['veth', 'plug'],
    view: ({ port, eth0, bridge }) => {
      if (!port || !eth0) return nothing;
      const is = `${port.kind ?? ''} ${String(port.master === bridge?.name)} ${upDown(port.up && eth0.up)} ${eth0.name}`;
      return readView(is, `${port.name} in ${port.master ?? 'no bridge'}, ${eth0.name} inside`);
    },
    whys: [],
    remark: "Docker's name on the host is random.",
  },
  {
    id: 'address',
    object: "container's address",
    step: ['addressing', 'address'],
    view: ({ eth0 }) => {
      const own = findAddress(eth0);
      return own ? readView(String(own.prefix), `${own.address}/${own.prefix}`) : nothing;
    },
    whys: [always('The prefix length says which addresses are neighbours: it is that of the bridge.')],
    remark: 'The plan says which address you take; Docker takes the next free one.',
  },
  {
    id: 'mac',
    object: "container's MAC address",
    source: 'daemon/libnetwork/netutils/utils.go: GenerateMACFromIP',
    view: (side) => {
      if (!side.eth0) return nothing;
      return readView(isDerived(side) ? 'derived' : 'random', side.eth0.mac);
    },
    whys: [
      {
        when: (_yours, docker) => docker.is === 'derived',
        why: 'The kernel drew yours. Docker made its own from the address (02:42 and its four bytes), so that an address that is used again keeps its MAC; since version 28 it draws one, and tells the neighbours.',
      },
      always('Docker drew this one; yours was made from the address.'),
    ],
  },
  {
    id: 'route',
    object: 'default route',
    step: ['addressing', 'route'],
    view: ({ inner, bridge }) => {
      const route = inner.routes.find(({ destination, table }) => destination === 'default' && table !== 'local');
      if (!route) return nothing;
      const is = route.gateway === findAddress(bridge)?.address ? 'bridge' : 'elsewhere';
      return readView(is, `via ${route.gateway ?? 'none'} dev ${route.device ?? 'none'}`);
    },
    whys: [],
    remark: "To the bridge's address, in both.",
  },
  {
    id: 'hairpin',
    object: 'hairpin on the port',
    step: ['publish', 'hairpin'],
    view: (side) => (readHairpin(side) ? readView('on', 'on') : readView('off', 'off')),
    whys: [
      {
        when: (yours) => yours.is === 'on',
        why: 'A container that uses its own published port needs it where packets are translated and turned back. With docker-proxy they end at the proxy, which opens a connection of its own.',
      },
    ],
  },
];

/** Docker's fallback name servers: daemon/libnetwork/internal/resolvconf/resolvconf.go. */
const google = '8.8.8.8 8.8.4.4';
const isLoopback = (server: string): boolean => server.startsWith('127.') || server === '::1';

/** Rows about name resolution and listeners. */
export const names: readonly Row[] = [
  {
    id: 'resolver',
    object: "container's name server",
    step: ['dns', 'resolver'],
    view: ({ resolvers }) => readView(resolvers.join(' '), ...resolvers.map((server) => `nameserver ${server}`)),
    whys: [
      {
        when: (_yours, docker, sides) => docker.is === google && sides.docker.hostResolvers.every(isLoopback),
        why: "Docker copies the host's servers but for those on loopback, which nobody answers in a container. Here that leaves none, so it takes its own default. You wrote down the one that the plan names.",
      },
      {
        when: (_yours, docker, sides) =>
          docker.is !== '' &&
          docker.is === sides.docker.hostResolvers.filter((server) => !isLoopback(server)).join(' '),
        why: "Docker copies the host's servers, without those on loopback. You wrote down the one that the plan names.",
      },
      onlyDocker('Yours has none: it can look up no names.'),
      {
        when: (_yours, docker) => docker.is !== '',
        why: 'Docker copied what the host had when the container was made; since then the host has got another.',
      },
    ],
  },
  {
    id: 'embedded',
    object: 'name server on a network of its own',
    step: ['docker', 'network'],
    view: ({ second }) => {
      if (!second) return nothing;
      const server = /^nameserver\s+(\S+)/m.exec(second.resolv ?? '')?.[1] ?? 'none';
      const ports = { host: 0, container: 0 };
      const unnamed = { bridge: undefined, eth0: undefined, ports, others: { word: '', addresses: [] } };
      const rules = listRules(second.net, unnamed).rules.filter(({ target }) => ['DNAT', 'SNAT'].includes(target));
      return readView(
        `${server} ${String(rules.length > 0)}`,
        `${second.name}: nameserver ${server}`,
        ...rules.map(({ chain, text }) => `inside: -t nat -A ${chain} ${text}`),
      );
    },
    whys: [
      onlyDocker(
        "Your containers know no names but the resolver's. On a network of its own Docker answers at 127.0.0.11 inside of the container: names of containers by itself, all else by the host's servers.",
      ),
    ],
  },
  {
    id: 'hostname',
    object: 'hostname',
    source: 'daemon/container.go: newContainer',
    view: ({ hostname, whose }) => readView(whose === 'yours' ? 'host' : 'own', hostname),
    whys: [
      {
        when: () => true,
        why: "A hostname belongs to a UTS namespace (uts_namespaces(7)). Docker makes one too, and names it by the first 12 digits of the container's id; `ip netns exec` changes the network only, so yours is the lab host's.",
      },
    ],
  },
  {
    id: 'server',
    object: 'server',
    step: ['publish', 'serve'],
    view: ({ inner }) => {
      const found = inner.sockets.filter(
        ({ protocol, port, address }) => protocol === 'tcp' && port === 80 && !address.startsWith('127.'),
      );
      return found.length === 0
        ? nothing
        : readView(
            'listens',
            ...found.map(({ program, address, port }) => `${program ?? 'a program'} listens on ${address}:${port}`),
          );
    },
    whys: [onlyDocker('Nothing of yours listens there yet.')],
    remark: 'On all of its addresses, in both: on 127.0.0.1 only the container itself would reach it.',
  },
];
