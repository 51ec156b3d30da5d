import { $, type ChapterContent, hasAddress, isBridge, isUp, not } from '@handwired/course';

export const chapter: ChapterContent = {
  title: 'A bridge with the gateway address',
  needs: [],
  points: 5,
  steps: [
    {
      id: 'add',
      title: 'Make a bridge: a switch inside the kernel.',
      why: 'Each container gets a cable into it. It gets a MAC address of its own here: otherwise it takes the lowest of its ports, which changes when containers come and go, and the others would go on talking to the old one.',
      docker: {
        does: 'Makes docker0, or br-ID for a network of yours, with a random MAC address for the same reason.',
        source: 'daemon/libnetwork/drivers/bridge/setup_device_linux.go: setupDevice',
      },
      object: { name: 'bridge', for: 'a switch in the kernel', docker: 'docker0, or br-ID' },
      build: ({ bridge, gateway }) => ({
        done: isBridge(bridge),
        run: $`ip link add name ${bridge} address ${deriveMac(gateway)} type bridge`,
      }),
      undo: ({ bridge }) => ({ done: not(isBridge(bridge)), run: $`ip link del ${bridge}` }),
    },
    {
      id: 'address',
      title: "Give the host an address on the bridge: the containers' gateway.",
      why: 'The bridge is also an interface of the host. With an address there the host is a neighbour of the containers, and has a route to their subnet.',
      docker: {
        does: 'Puts the first address of the network on the bridge, 172.17.0.1/16 on docker0.',
        source: 'daemon/libnetwork/drivers/bridge/setup_ipv4_linux.go: setupBridgeIPv4',
      },
      object: {
        name: 'gateway address',
        for: "the host as the containers' neighbour",
        docker: 'network Gateway',
      },
      build: ({ bridge, gateway, prefix }) => ({
        done: hasAddress(bridge, `${gateway}/${prefix}`),
        run: $`ip addr add ${`${gateway}/${prefix}`} dev ${bridge}`,
      }),
      undo: ({ bridge, gateway, prefix }) => ({
        done: not(hasAddress(bridge, `${gateway}/${prefix}`)),
        run: $`ip addr del ${`${gateway}/${prefix}`} dev ${bridge}`,
      }),
    },
    {
      id: 'up',
      title: 'Switch the bridge on.',
      why: 'A link that is down forwards nothing, and its route is not used.',
      docker: {
        does: 'The same, as the last of the steps that set a bridge up.',
        source: 'daemon/libnetwork/drivers/bridge/setup_device_linux.go: setupDeviceUp',
      },
      build: ({ bridge }) => ({ done: isUp(bridge), run: $`ip link set ${bridge} up` }),
      undo: ({ bridge }) => ({ done: not(isUp(bridge)), run: $`ip link set ${bridge} down` }),
    },
  ],
  cleanup: {
    title: 'Remove the bridge.',
    why: 'Its address and its route go with it.',
    docker: {
      does: 'Removes it with `docker network rm`; docker0 stays.',
      source: 'daemon/libnetwork/drivers/bridge/bridge_linux.go: deleteNetwork',
    },
  },
};

/** A locally administered MAC address made from an IPv4 address, as Docker made its containers' before version 28. */
const deriveMac = (address: string): string =>
  ['02', '42', ...address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))].join(':');
