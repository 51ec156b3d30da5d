import { $, type Fault, hasDefaultRoute, isUp, not } from '@handwired/course';

export const fault: Fault = {
  id: 'link-down-inside',
  title: "A container's own end of its cable is switched off.",
  level: 1,
  needs: 'addressing',
  excludes: [],
  cause: 'inner-down',
  symptoms: ['addressing.ct1-link'],
  inject: ({ ct1, inner }) => [{ done: not(isUp(inner, ct1.name)), run: $`ip -n ${ct1.name} link set ${inner} down` }],
  repair: ({ ct1, gateway, inner }) => [
    { done: isUp(inner, ct1.name), run: $`ip -n ${ct1.name} link set ${inner} up` },
    { done: hasDefaultRoute(gateway, ct1.name), run: $`ip -n ${ct1.name} route add default via ${gateway}` },
  ],
  explanation:
    'A link that is down sends and receives nothing. Its routes are removed, and do not come back when the link is switched on again. The other end of the cable loses its carrier at the same moment.',
};
