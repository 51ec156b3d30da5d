import { $, type Fault, hasLink } from '@handwired/course';
import { keepFileTime } from './parts.ts';

export const fault: Fault = {
  id: 'left-running',
  title: "A container's name is on a new, empty namespace, and the old one lives on.",
  level: 3,
  needs: 'publish',
  excludes: [
    'wrong-mask',
    'wrong-gateway',
    'link-down-inside',
    'server-stopped',
    'server-on-loopback',
    'server-on-another-port',
    'container-firewall',
    'short-lived-packets',
    'old-translation-kept',
    'false-neighbour',
    'cable-down-outside',
    'isolated-ports',
    'port-disabled',
    'duplicate-mac',
  ],
  cause: 'namespace-left-running',
  symptoms: ['veth.ct1'],
  inject: ({ ct1, inner }) => [
    keepFileTime('/run/netns', {
      done: $`! ip -n ${ct1.name} link show dev ${inner}`,
      run: $`ip netns del ${ct1.name} && ip netns add ${ct1.name} && ip -n ${ct1.name} link set lo up`,
    }),
  ],
  repair: (plan) => {
    const { ct1, inner } = plan;
    const argv = `python3 -m http.server ${plan.containerPort} --bind 0.0.0.0 --directory /srv/${ct1.name}`;
    return [
      {
        done: hasLink(inner, ct1.name),
        run: $`ip netns del ${ct1.name} && ip netns attach ${ct1.name} "$(pgrep -xf ${argv})"`,
      },
    ];
  },
  explanation:
    'The command ip netns del only removes a name. The namespace itself ends with its last process. The server was still running in it, so the namespace lives on with its cable and address. Whoever makes the container again gets an empty one.',
};
