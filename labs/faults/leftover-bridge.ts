import { $, type Fault, hasAddress, hasLink, isUp, not } from '@handwired/course';

const old = 'br1';

export const fault: Fault = {
  id: 'leftover-bridge',
  title: 'A bridge of an earlier run has the same subnet, and its route comes first.',
  level: 2,
  needs: 'connectivity',
  excludes: ['bridge-down', 'bridge-without-address'],
  cause: 'subnet-doubled',
  symptoms: ['connectivity.ct1-gateway', 'connectivity.ct2-gateway'],
  inject: ({ bridge, gateway, prefix, subnet }) => [
    { done: hasLink(old), run: $`ip link add ${old} type bridge` },
    { done: hasAddress(old, `${gateway}/${prefix}`), run: $`ip addr add ${`${gateway}/${prefix}`} dev ${old}` },
    { done: isUp(old), run: $`ip link set ${old} up` },
    {
      done: $`ip route show ${subnet} | head -n 1 | grep -q ${` dev ${old} `}`,
      run: $`ip route del ${subnet} dev ${bridge} && ip route append ${subnet} dev ${bridge} proto kernel scope link src ${gateway}`,
    },
  ],
  repair: () => [{ done: not(hasLink(old)), run: $`ip link del ${old}` }],
  explanation:
    'Two links with the same subnet give two routes to it, and the kernel uses the first. So what the lab host sends to the containers goes into the old bridge, which has no port. What the containers send still arrives.',
};
