import { $, type Fault, hasDefaultRoute } from '@handwired/course';

export const fault: Fault = {
  id: 'wrong-gateway',
  title: "A container's default route leads to its neighbour.",
  level: 1,
  needs: 'addressing',
  excludes: ['link-down-inside'],
  cause: 'default-route-wrong',
  symptoms: ['addressing.ct1-route'],
  inject: ({ ct1, ct2 }) => [
    {
      done: hasDefaultRoute(ct2.address, ct1.name),
      run: $`ip -n ${ct1.name} route replace default via ${ct2.address}`,
    },
  ],
  repair: ({ ct1, gateway }) => [
    { done: hasDefaultRoute(gateway, ct1.name), run: $`ip -n ${ct1.name} route replace default via ${gateway}` },
  ],
  explanation:
    'The neighbour answers ARP for its own address, so the packets leave and arrive there. The neighbour is no router, and drops packets that are not for itself.',
};
