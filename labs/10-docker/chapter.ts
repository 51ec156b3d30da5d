import { chapterData } from '../script.ts';

export const chapter = chapterData({
  id: 'docker',
  number: '10',
  title: 'What Docker builds',
  needs: ['publish'],
  points: 5,
  steps: [
    {
      id: 'host',
      title: 'Give Docker a machine of its own: a network namespace with a cable to the lab host.',
      why: "Docker writes its bridge, its rules and its settings into the network namespace that it is started in. In one of its own they can't mix with yours. A new namespace begins with the machine's value of ip_forward, so that is set to what most machines have.",
      docker: {
        does: 'Starts in the namespace that it finds itself in, and takes that for its host.',
        source: 'daemon/daemon_unix.go: initNetworkController, configureNetworking',
      },
    },
    {
      id: 'daemon',
      title: 'Start the Docker daemon in there.',
      why: "Only the network namespace is another: files, processes and the socket that the `docker` command talks to are the lab host's. The file of settings says how to run on a lab host: with cgroups but without systemd, and without power over the machine's devices.",
      docker: {
        does: 'Makes docker0 before there is any container, turns forwarding on, and sets up its chains.',
        source: 'daemon/daemon_unix.go: initBridgeDriver',
      },
    },
    {
      id: 'image',
      title: 'Make an image without a registry.',
      why: 'An image is a root folder in a tar file and a few words about it, such as the command to start. This one has busybox and a page.',
      docker: {
        does: 'Unpacks the tar file as the one layer of a new image.',
        source: 'daemon/images/image_import.go: ImportImage',
      },
    },
    {
      id: 'run',
      title: 'Run a container with a published port.',
      why: 'One command for all that you did in chapters 01 to 08. Look for each of your objects afterwards.',
      docker: {
        does: "Makes the container's network before it starts the container's process in it.",
        source: 'daemon/container_operations.go: initializeNetworking, allocateNetwork, connectToNetwork',
      },
    },
    {
      id: 'network',
      title: 'Make a network of your own, and run a second container on it.',
      why: 'Docker treats its default bridge in an old way. On a network of yours containers know each other by name: their resolver is 127.0.0.11, inside of their own namespace.',
      docker: {
        does: "Listens for DNS on a port of its own choice in the container's namespace, and has rules there that lead 127.0.0.11:53 to it.",
        source: 'daemon/libnetwork/sandbox_dns_unix.go: startResolver; resolver_unix.go: setupIptablesNAT',
      },
    },
    {
      id: 'look',
      title: 'Ask it from the lab host, and look at what Docker says that it made.',
      why: "The lab host is an outside client of this Docker: what it asks for comes in by Docker's uplink and passes PREROUTING.",
      docker: {
        does: 'Tells what it has noted down itself, not what the kernel has: compare the two.',
        source: 'daemon/network.go: FindNetwork',
      },
    },
  ],
});
