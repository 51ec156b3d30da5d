import { $, both, type ChapterContent, type Command, either, isNetns, not, sh, type Sh } from '@handwired/course';

export const chapter: ChapterContent = {
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
      build: ({ ct1, ct2 }) => [addNetns(ct1.name), addNetns(ct2.name)],
      undo: ({ ct1, ct2 }) => [removeNetns(ct2.name), removeNetns(ct1.name)],
    },
  ],
  cleanup: {
    title: 'Remove the network namespaces.',
    why: 'Last, and empty: with a process in it a namespace lives on without a name.',
    docker: {
      does: 'Unmounts it and removes its file.',
      source: 'daemon/libnetwork/osl/namespace_linux.go: Destroy, unmountNamespaceFile',
    },
  },
};

const addNetns = (name: string): Command => ({
  done: isNetns(name),
  // An interrupted `ip netns add` leaves an empty file without a mount, and the next one would fail with "File
  // exists".
  before: $`rm -f /run/netns/${name}`,
  run: $`ip netns add ${name}`,
});

/**
 * The kernel takes a network namespace apart after `ip netns del` has returned (cleanup_net in
 * net/core/net_namespace.c). So its veths are removed first, and the command waits until its id is free. It refuses a
 * namespace with a process in it, which would live on without a name.
 */
const removeNetns = (name: string): Command => ({
  done: both(not($`test -e /run/netns/${name}`), idIsFree),
  before: sh([refuseBusy(name), removeLinks(name), rememberId(name)].map(({ cmd }) => cmd).join('\n')),
  run: $`ip netns del ${name}`,
});

const refuseBusy = (name: string): Sh => $`pids=$(ip netns pids ${name} 2>/dev/null)
if [ -n "$pids" ]; then echo "still running in ${name}:" $(ps -o pid=,comm= -p "$(echo "$pids" | paste -sd, -)") >&2; exit 1; fi`;

const removeLinks = (name: string): Sh =>
  $`for link in $(ip -o link show | grep -E ${` link-netns ${name}( |$)`} | sed 's/^[0-9]*: //; s/@.*//'); do ip link del "$link"; done`;

const rememberId = (name: string): Sh => $`id=$(ip netns list | sed -n ${`s/^${name} (id: \\([0-9]*\\))$/\\1/p`})`;

const idIsFree = either(sh('test -z "${id-}"'), not(sh('ip netns list-id | grep -q "^nsid $id "')));
