import { $, type ChapterContent, either, hasLink, isPort, isUp, not } from '@handwired/course';

export const chapter: ChapterContent = {
  title: 'Cables from the containers to the bridge',
  needs: ['namespaces', 'bridge'],
  points: 10,
  steps: [
    {
      id: 'add',
      title: 'Make a pair of virtual Ethernet interfaces for each container.',
      why: 'What goes in at one end comes out at the other, also when the ends are in different network namespaces: it is a cable.',
      docker: {
        does: 'Makes the pair with the inner end already in the container, under random names such as veth1a2b3c4.',
        source: 'daemon/libnetwork/drivers/bridge/bridge_linux.go: CreateEndpoint, createVeth',
      },
      object: { name: 'veth pair', for: 'a cable into the container', docker: 'endpoint' },
      build: ({ ct1, ct2 }) =>
        [ct1, ct2].map(({ veth, peer }) => ({
          done: hasLink(veth),
          run: $`ip link add ${veth} type veth peer name ${peer}`,
        })),
      undo: ({ ct1, ct2 }) => [ct2, ct1].map(({ veth }) => ({ done: not(hasLink(veth)), run: $`ip link del ${veth}` })),
    },
    {
      id: 'move',
      title: 'Move one end of each pair into its container.',
      why: 'An interface belongs to one network namespace. From here on the host does not list it any more.',
      docker: {
        does: 'Needs this only when the pair could not be made inside at once.',
        source: 'daemon/libnetwork/osl/interface_linux.go: moveLink',
      },
      build: ({ ct1, ct2, inner }) =>
        [ct1, ct2].map(({ name, peer }) => ({
          done: either(hasLink(peer, name), hasLink(inner, name)),
          run: $`ip link set ${peer} netns ${name}`,
        })),
      // No undo: removing one end of a pair removes the other, in whatever network namespace it is.
    },
    {
      id: 'plug',
      title: 'Plug the other ends into the bridge.',
      why: 'A veth end that is in no bridge leads only to the host. As ports of one bridge the two can exchange frames.',
      docker: {
        does: 'The same for each container that joins the network.',
        source: 'daemon/libnetwork/drivers/bridge/bridge_linux.go: addToBridge',
      },
      object: { name: 'bridge port', for: 'where the cable is plugged in', docker: 'network connect' },
      build: ({ bridge, ct1, ct2 }) =>
        [ct1, ct2].map(({ veth }) => ({ done: isPort(veth, bridge), run: $`ip link set ${veth} master ${bridge}` })),
      undo: ({ bridge, ct1, ct2 }) =>
        [ct2, ct1].map(({ veth }) => ({ done: not(isPort(veth, bridge)), run: $`ip link set ${veth} nomaster` })),
    },
    {
      id: 'up',
      title: "Switch the host's ends on.",
      why: 'Both ends of a pair must be up before either has a carrier.',
      docker: {
        does: 'The same, after the firewall rules of the endpoint are in place.',
        source: 'daemon/libnetwork/drivers/bridge/bridge_linux.go: linkUp',
      },
      build: ({ ct1, ct2 }) => [ct1, ct2].map(({ veth }) => ({ done: isUp(veth), run: $`ip link set ${veth} up` })),
      undo: ({ ct1, ct2 }) =>
        [ct2, ct1].map(({ veth }) => ({ done: not(isUp(veth)), run: $`ip link set ${veth} down` })),
    },
  ],
  cleanup: {
    title: 'Remove the cables.',
    why: 'Removing the bridge does not remove them. Removing one end removes the other.',
    docker: {
      does: 'Removes the pair when the container leaves the network.',
      source: 'daemon/libnetwork/drivers/bridge/bridge_linux.go: DeleteEndpoint',
    },
  },
};
