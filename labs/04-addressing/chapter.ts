import { $, type ChapterContent, hasAddress, hasDefaultRoute, hasLink, isPaired, isUp, not } from '@handwired/course';

export const chapter: ChapterContent = {
  title: 'Addresses and routes in the containers',
  needs: ['veth'],
  points: 10,
  steps: [
    {
      id: 'loopback',
      title: "Switch each container's loopback on.",
      why: 'A new network namespace has it down: a program could not even reach itself at 127.0.0.1.',
      docker: {
        does: 'The same, when it makes the namespace.',
        source: 'daemon/libnetwork/osl/namespace_linux.go: loopbackUp',
      },
      build: ({ ct1, ct2 }) =>
        [ct1, ct2].map(({ name }) => ({ done: isUp('lo', name), run: $`ip -n ${name} link set lo up` })),
      undo: ({ ct1, ct2 }) => [
        ...[ct2, ct1].map(({ name }) => ({ done: not(isUp('lo', name)), run: $`ip -n ${name} link set lo down` })),
        // The kernel gave lo its address when it first went up, and leaves it there.
        ...[ct2, ct1].map(({ name }) => ({
          done: not(hasAddress('lo', '127.0.0.1/8', name)),
          run: $`ip -n ${name} addr del 127.0.0.1/8 dev lo`,
        })),
      ],
    },
    {
      id: 'rename',
      title: 'Call the inner end eth0.',
      why: 'Names are only unique in one network namespace, so each container can have an eth0. Programs in it need not know what it is plugged into.',
      docker: {
        does: 'The same: eth0 for the first network of a container, eth1 for the next.',
        source: 'daemon/libnetwork/osl/interface_linux.go: setInterfaceName',
      },
      build: ({ ct1, ct2, inner }) =>
        [ct1, ct2].map(({ name, peer }) => ({
          done: hasLink(inner, name),
          run: $`ip -n ${name} link set ${peer} name ${inner}`,
        })),
      undo: ({ ct1, ct2, inner }) =>
        [ct2, ct1].map((ct) => ({
          done: not(isPaired(inner, ct)),
          run: $`ip -n ${ct.name} link set ${inner} name ${ct.peer}`,
        })),
    },
    {
      id: 'address',
      title: 'Give each container its address.',
      why: 'With the prefix length it says which addresses are neighbours: all of the subnet is reached over the bridge, without a router.',
      docker: {
        does: "Takes the next free address of the network's pool.",
        source: 'daemon/libnetwork/osl/interface_linux.go: setInterfaceIP',
      },
      object: { name: 'address', for: 'who it is, and who its neighbours are', docker: 'IPAddress, --ip' },
      build: ({ ct1, ct2, inner, prefix }) =>
        [ct1, ct2].map(({ name, address }) => ({
          done: hasAddress(inner, `${address}/${prefix}`, name),
          run: $`ip -n ${name} addr add ${`${address}/${prefix}`} dev ${inner}`,
        })),
      undo: ({ ct1, ct2, inner, prefix }) =>
        [ct2, ct1].map(({ name, address }) => ({
          done: not(hasAddress(inner, `${address}/${prefix}`, name)),
          run: $`ip -n ${name} addr del ${`${address}/${prefix}`} dev ${inner}`,
        })),
    },
    {
      id: 'up',
      title: 'Switch eth0 on.',
      why: 'Moving an interface into another network namespace switches it off.',
      docker: {
        does: 'The same, after the address is set.',
        source: 'daemon/libnetwork/osl/interface_linux.go: AddInterface',
      },
      build: ({ ct1, ct2, inner }) =>
        [ct1, ct2].map(({ name }) => ({ done: isUp(inner, name), run: $`ip -n ${name} link set ${inner} up` })),
      undo: ({ ct1, ct2, inner }) =>
        [ct2, ct1].map(({ name }) => ({ done: not(isUp(inner, name)), run: $`ip -n ${name} link set ${inner} down` })),
    },
    {
      id: 'route',
      title: "Set the default route: everything else goes to the host's address on the bridge.",
      why: 'Without it the container knows its neighbours only, and any other address is "Network is unreachable". The gateway must be a neighbour, so eth0 has to be up first.',
      docker: {
        does: "The same, to the bridge's address.",
        source: 'daemon/libnetwork/osl/route_linux.go: SetGateway, programGateway',
      },
      object: { name: 'default route', for: 'all others are reached by the host', docker: 'container Gateway' },
      build: ({ ct1, ct2, gateway }) =>
        [ct1, ct2].map(({ name }) => ({
          done: hasDefaultRoute(gateway, name),
          run: $`ip -n ${name} route add default via ${gateway}`,
        })),
      undo: ({ ct1, ct2, gateway }) =>
        [ct2, ct1].map(({ name }) => ({
          done: not(hasDefaultRoute(gateway, name)),
          run: $`ip -n ${name} route del default via ${gateway}`,
        })),
    },
  ],
  cleanup: {
    title: 'Take addresses and routes back.',
    why: 'They would go with the interfaces. One by one shows that each command has its reverse.',
    docker: {
      does: 'Takes the interface down, gives it its old name back and moves it out.',
      source: 'daemon/libnetwork/osl/interface_linux.go: RemoveInterface',
    },
  },
};
