import { always, look, nothing, type Row } from '../row.ts';
import { addressOf, type Side } from '../side.ts';

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

const isDerived = ({ eth0 }: Side): boolean => eth0?.mac === derivedMac(addressOf(eth0)?.address ?? '');

const hairpinOf = ({ host, port }: Side): boolean =>
  host.ports.some(({ device, hairpin }) => device === port?.name && hairpin);

/** Namespaces, interfaces, addresses and routes. */
export const links: readonly Row[] = [
  {
    id: 'netns',
    object: 'network namespace',
    step: ['namespaces', 'add'],
    look: ({ netns, whose }) => look(whose === 'yours' ? 'named' : 'kept', netns),
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
    look: ({ inner }) => {
      const lo = inner.links.find(({ loopback }) => loopback);
      return lo ? look(upDown(lo.up), `lo ${upDown(lo.up)}, ${addressOf(lo)?.address ?? 'no address'}`) : nothing;
    },
    whys: [],
  },
  {
    id: 'bridge',
    object: 'bridge',
    step: ['bridge', 'add'],
    look: ({ bridge }) =>
      bridge ? look(`${bridge.kind ?? ''} ${upDown(bridge.up)}`, `${bridge.name}, ${upDown(bridge.up)}`) : nothing,
    whys: [],
    remark: 'The same object; only the name is another.',
  },
  {
    id: 'gateway',
    object: "bridge's address",
    step: ['bridge', 'address'],
    look: ({ bridge }) => {
      const own = addressOf(bridge);
      return own ? look(`${hostPart(own.address, own.prefix)}/${own.prefix}`, `${own.address}/${own.prefix}`) : nothing;
    },
    whys: [always('Docker takes the first address of its network, and another prefix length where it was told to.')],
    remark: 'The first address of its subnet, in both.',
  },
  {
    id: 'cable',
    object: 'cable into the bridge',
    step: ['veth', 'plug'],
    look: ({ port, eth0, bridge }) => {
      if (!port || !eth0) return nothing;
      const is = `${port.kind ?? ''} ${String(port.master === bridge?.name)} ${upDown(port.up && eth0.up)} ${eth0.name}`;
      return look(is, `${port.name} in ${port.master ?? 'no bridge'}, ${eth0.name} inside`);
    },
    whys: [],
    remark: "Docker's name on the host is random.",
  },
  {
    id: 'address',
    object: "container's address",
    step: ['addressing', 'address'],
    look: ({ eth0 }) => {
      const own = addressOf(eth0);
      return own ? look(String(own.prefix), `${own.address}/${own.prefix}`) : nothing;
    },
    whys: [always('The prefix length says which addresses are neighbours: it is that of the bridge.')],
    remark: 'The plan says which address you take; Docker takes the next free one.',
  },
  {
    id: 'mac',
    object: "container's MAC address",
    source: 'daemon/libnetwork/netutils/utils.go: GenerateMACFromIP',
    look: (side) => {
      if (!side.eth0) return nothing;
      return look(isDerived(side) ? 'derived' : 'random', side.eth0.mac);
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
    look: ({ inner, bridge }) => {
      const route = inner.routes.find(({ destination, table }) => destination === 'default' && table !== 'local');
      if (!route) return nothing;
      const is = route.gateway === addressOf(bridge)?.address ? 'bridge' : 'elsewhere';
      return look(is, `via ${route.gateway ?? 'none'} dev ${route.device ?? 'none'}`);
    },
    whys: [],
    remark: "To the bridge's address, in both.",
  },
  {
    id: 'hairpin',
    object: 'hairpin on the port',
    step: ['publish', 'hairpin'],
    look: (side) => (hairpinOf(side) ? look('on', 'on') : look('off', 'off')),
    whys: [
      {
        when: (yours) => yours.is === 'on',
        why: 'A container that uses its own published port needs it where packets are translated and turned back. With docker-proxy they end at the proxy, which opens a connection of its own.',
      },
    ],
  },
];
