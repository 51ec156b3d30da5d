import { $, both, type Fault, hasAddress, not } from '@handwired/course';

export const fault: Fault = {
  id: 'wrong-mask',
  title: "A container's address has the prefix of a single host.",
  level: 1,
  needs: 'addressing',
  excludes: ['wrong-gateway', 'link-down-inside'],
  cause: 'address-wrong-mask',
  symptoms: ['addressing.ct1-address'],
  inject: ({ ct1, gateway, inner, prefix }) => {
    const [narrow, right] = [`${ct1.address}/32`, `${ct1.address}/${prefix}`];
    return [
      { done: hasAddress(inner, narrow, ct1.name), run: $`ip -n ${ct1.name} addr add ${narrow} dev ${inner}` },
      {
        done: not(hasAddress(inner, right, ct1.name)),
        run: $`ip -n ${ct1.name} addr del ${right} dev ${inner} && ip -n ${ct1.name} route replace default via ${gateway} dev ${inner} onlink`,
      },
    ];
  },
  repair: ({ ct1, gateway, inner, prefix }) => {
    const [narrow, right] = [`${ct1.address}/32`, `${ct1.address}/${prefix}`];
    return [
      {
        done: both(hasAddress(inner, right, ct1.name), not(hasAddress(inner, narrow, ct1.name))),
        run: $`ip -n ${ct1.name} addr flush dev ${inner} && ip -n ${ct1.name} addr add ${right} dev ${inner} && ip -n ${ct1.name} route replace default via ${gateway} dev ${inner}`,
      },
    ];
  },
  explanation:
    'The command ip addr add without a prefix length means /32, a network of one address. Then the container has no neighbours, and sends packets for them to the gateway, if it can send them at all.',
};
