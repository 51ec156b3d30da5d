import type { Chapter } from '../chapter.ts';
import { $ } from '../commands.ts';

const docker = {
  does: 'Makes docker0.',
  source: 'daemon/libnetwork/drivers/bridge/setup_device_linux.go: setupDevice',
};

/** A chapter with three steps, for tests of what reads, shows and runs chapters. */
export const bridgeChapter: Chapter = {
  id: 'bridge',
  number: '02',
  title: 'A bridge with the gateway address',
  needs: [],
  points: 5,
  steps: [
    {
      id: 'add',
      title: 'Make a bridge: a switch inside the kernel.',
      why: 'Each container gets a cable into it.',
      docker,
      build: ({ bridge }) => ({ run: $`ip link add name ${bridge} address 02:42:ac:12:00:01 type bridge` }),
    },
    {
      id: 'address',
      title: 'Give the host an address on the bridge.',
      why: 'With it the host is a neighbour of the containers.',
      docker,
      build: ({ bridge, gateway, prefix }) => ({ run: $`ip addr add ${`${gateway}/${prefix}`} dev ${bridge}` }),
    },
    {
      id: 'up',
      title: 'Switch the bridge on.',
      why: 'A link that is down forwards nothing.',
      docker,
      build: ({ bridge }) => ({ run: $`ip link set ${bridge} up` }),
    },
  ],
};
