import { chapterData } from '../script.ts';

export const chapter = chapterData({
  id: 'dns',
  number: '07',
  title: 'Names in the containers',
  needs: ['egress'],
  points: 10,
  steps: [
    {
      id: 'folder',
      title: 'Make a folder of settings for each container.',
      why: "A network namespace has no files of its own: without this, /etc/resolv.conf in a container is the host's, and writing to it changes the host. Often it names 127.0.0.53, where nobody listens in the container.",
      docker: {
        does: 'Keeps a resolv.conf for each container under /var/lib/docker/containers/ID.',
        source: 'daemon/libnetwork/sandbox_dns_unix.go: setupResolutionFiles',
      },
    },
    {
      id: 'resolver',
      title: 'Write down which name server the containers ask.',
      why: '`ip netns exec NAME` mounts /etc/netns/NAME/resolv.conf over /etc/resolv.conf for the command that it starts, and for nothing else.',
      docker: {
        does: "Mounts its file into the container. On the default bridge it has the host's servers without those on loopback; on a network of yours it names 127.0.0.11, where Docker's own server listens in the container.",
        source: 'daemon/libnetwork/sandbox_dns_unix.go: setupDNS, rebuildDNS',
      },
      object: { name: 'resolv.conf', for: 'which name server is asked', docker: '--dns, or 127.0.0.11' },
    },
  ],
});
