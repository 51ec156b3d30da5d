import { $, type Fault, hasDefaultRoute } from '@handwired/course';

export const fault: Fault = {
  id: 'no-default-route',
  title: 'A container has no default route.',
  level: 1,
  needs: 'addressing',
  excludes: [],
  cause: 'default-route-missing',
  symptoms: ['addressing.ct2-route'],
  inject: ({ ct2 }) => [
    {
      done: $`test -z "$(ip -n ${ct2.name} -4 route show default)"`,
      run: $`ip -n ${ct2.name} route del default`,
      repeat: true,
    },
  ],
  repair: ({ ct2, gateway }) => [
    { done: hasDefaultRoute(gateway, ct2.name), run: $`ip -n ${ct2.name} route add default via ${gateway}` },
  ],
  explanation:
    "The route to the container's own subnet comes with its address, so its neighbours and the gateway answer. For any other address the kernel reports at once that the network is unreachable, and no packet leaves.",
};
