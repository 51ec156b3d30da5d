import { chapterData } from '../script.ts';

export const chapter = chapterData({
  id: 'namespaces',
  number: '01',
  title: 'Two network namespaces',
  needs: [],
  points: 5,
  steps: [
    {
      id: 'add',
      title: 'Make a network namespace for each container.',
      why: 'A network namespace is a whole network stack of its own: links, addresses, routes, firewall rules and sockets. A new one has nothing but a loopback interface that is down.',
      docker: {
        does: 'Makes one for each container, unnamed, and keeps it alive by a bind mount under /var/run/docker/netns. `ip netns add` does the same under /run/netns, with a name.',
        source: 'daemon/libnetwork/osl/namespace_linux.go: createNetworkNamespace, mountNetworkNamespace',
      },
      object: { name: 'network namespace', for: 'a network stack of its own', docker: 'sandbox, SandboxKey' },
    },
  ],
});
