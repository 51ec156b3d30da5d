import { chapterData } from '../script.ts';

export const chapter = chapterData({
  id: 'addressing',
  number: '04',
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
    },
    {
      id: 'rename',
      title: 'Call the inner end eth0.',
      why: 'Names are only unique in one network namespace, so each container can have an eth0. Programs in it need not know what it is plugged into.',
      docker: {
        does: 'The same: eth0 for the first network of a container, eth1 for the next.',
        source: 'daemon/libnetwork/osl/interface_linux.go: setInterfaceName',
      },
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
    },
    {
      id: 'up',
      title: 'Switch eth0 on.',
      why: 'Moving an interface into another network namespace switches it off.',
      docker: {
        does: 'The same, after the address is set.',
        source: 'daemon/libnetwork/osl/interface_linux.go: AddInterface',
      },
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
    },
  ],
});
