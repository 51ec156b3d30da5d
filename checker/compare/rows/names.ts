import { look, nothing, onlyDocker, type Row } from '../row.ts';
import { rulesOf } from '../rules.ts';

/** daemon/libnetwork/internal/resolvconf/resolvconf.go: what it falls back to. */
const google = '8.8.8.8 8.8.4.4';
const isLoopback = (server: string): boolean => server.startsWith('127.') || server === '::1';

/** Names, and what listens. */
export const names: readonly Row[] = [
  {
    id: 'resolver',
    object: "container's name server",
    step: ['dns', 'resolver'],
    look: ({ resolvers }) => look(resolvers.join(' '), ...resolvers.map((server) => `nameserver ${server}`)),
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
    look: ({ second }) => {
      if (!second) return nothing;
      const server = /^nameserver\s+(\S+)/m.exec(second.resolv ?? '')?.[1] ?? 'none';
      const ports = { host: 0, container: 0 };
      const unnamed = { bridge: undefined, eth0: undefined, ports, others: { word: '', addresses: [] } };
      const rules = rulesOf(second.net, unnamed).rules.filter(({ target }) => ['DNAT', 'SNAT'].includes(target));
      return look(
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
    look: ({ hostname, whose }) => look(whose === 'yours' ? 'host' : 'own', hostname),
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
    look: ({ inner }) => {
      const found = inner.sockets.filter(
        ({ protocol, port, address }) => protocol === 'tcp' && port === 80 && !address.startsWith('127.'),
      );
      return found.length === 0
        ? nothing
        : look(
            'listens',
            ...found.map(({ program, address, port }) => `${program ?? 'a program'} listens on ${address}:${port}`),
          );
    },
    whys: [onlyDocker('Nothing of yours listens there yet.')],
    remark: 'On all of its addresses, in both: on 127.0.0.1 only the container itself would reach it.',
  },
];
