import { chapterData } from '../script.ts';

export const chapter = chapterData({
  id: 'cleanup',
  number: '12',
  title: 'The host as it was',
  needs: [],
  points: 10,
  steps: [
    {
      id: 'docker',
      title: 'Take Docker away: containers, network, image, daemon, its files and its namespace.',
      why: 'A daemon that is killed leaves its containers running, a mount for each of their namespaces, and all of its files. So Docker itself is asked first.',
      docker: {
        does: 'Ends its containers when it ends. Its bridge, its rules, forwarding and its files stay for the next start.',
        source: 'daemon/daemon.go: Shutdown, shutdownContainer',
      },
    },
    {
      id: 'publish',
      title: 'Take the published port back: rules, settings, server, page.',
      why: 'In reverse order, and each thing by its own name: a flush would also remove the rules of others.',
      docker: {
        does: 'Releases the ports and removes their rules when the container stops.',
        source: 'daemon/libnetwork/drivers/bridge/port_mapping_linux.go: releasePorts',
      },
    },
    {
      id: 'dns',
      title: "Remove the containers' settings.",
      why: 'They are files: they outlive the namespaces, and a namespace of the same name would find them.',
      docker: {
        does: "Removes the container's resolv.conf with its folder when the container is removed.",
        source: 'daemon/delete.go: cleanupContainer',
      },
    },
    {
      id: 'egress',
      title: 'Take the router back: forwarding as it was, the rules gone.',
      why: 'As it was, which may have been on: someone else may need it. Switching it also changes accept_redirects and the forwarding of each interface.',
      docker: {
        does: 'Removes the rules of a network with the network, and leaves forwarding and the policy of FORWARD as it set them.',
        source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/network.go: DelNetworkLevelRules',
      },
    },
    {
      id: 'connectivity',
      title: "Remove the bridge's own rule.",
      why: 'A rule that names an interface stays when the interface goes, and meets the next one of that name.',
      docker: {
        does: 'The same, with the other rules of the network.',
        source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/network.go: DelNetworkLevelRules',
      },
    },
    {
      id: 'addressing',
      title: 'Take addresses and routes back.',
      why: 'They would go with the interfaces. One by one shows that each command has its reverse.',
      docker: {
        does: 'Takes the interface down, gives it its old name back and moves it out.',
        source: 'daemon/libnetwork/osl/interface_linux.go: RemoveInterface',
      },
    },
    {
      id: 'veth',
      title: 'Remove the cables.',
      why: 'Removing the bridge does not remove them. Removing one end removes the other.',
      docker: {
        does: 'Removes the pair when the container leaves the network.',
        source: 'daemon/libnetwork/drivers/bridge/bridge_linux.go: DeleteEndpoint',
      },
    },
    {
      id: 'bridge',
      title: 'Remove the bridge.',
      why: 'Its address and its route go with it.',
      docker: {
        does: 'Removes it with `docker network rm`; docker0 stays.',
        source: 'daemon/libnetwork/drivers/bridge/bridge_linux.go: deleteNetwork',
      },
    },
    {
      id: 'namespaces',
      title: 'Remove the network namespaces.',
      why: 'Last, and empty: with a process in it a namespace lives on without a name.',
      docker: {
        does: 'Unmounts it and removes its file.',
        source: 'daemon/libnetwork/osl/namespace_linux.go: Destroy, unmountNamespaceFile',
      },
    },
  ],
});
