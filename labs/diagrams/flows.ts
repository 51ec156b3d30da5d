import { type Plan, world } from '@handwired/host';
import { type Act, type Flow, flowOf, type Station, type Tuple } from './flow.ts';

/** A port that the kernel picked for the asking side: ip(7), ip_local_port_range. */
const picked = 40_000;

const at = (zone: string, device: string | null = null): Station => ({ kind: 'place', zone, device });
const hook = (there: Act, back: Act, change?: (packet: Tuple) => Tuple): Station => ({
  ...{ kind: 'hook', there, back },
  ...(change ? { change } : {}),
});

const forward = (there: string, back: string): Station =>
  hook({ hook: 'FORWARD', text: there }, { hook: 'FORWARD', text: back });
const answers = 'lets answers pass (ESTABLISHED)';

/** The source becomes an address of the host's; connection tracking gives the answer's destination back. */
const masquerade = (address: string, back: string): Station =>
  hook(
    { hook: 'POSTROUTING', text: `MASQUERADE: from ${address}` },
    { hook: 'PREROUTING', text: `conntrack: to ${back}` },
    (packet) => ({ ...packet, source: address }),
  );

/** The destination becomes ct1's server; connection tracking gives the answer's source back. */
const translate = (chain: 'PREROUTING' | 'OUTPUT', { ct1, containerPort }: Plan, back: string): Station =>
  hook(
    { hook: chain, text: `DNAT: to ${ct1.address}:${containerPort}` },
    { hook: chain === 'OUTPUT' ? 'INPUT' : 'POSTROUTING', text: `conntrack: from ${back}` },
    (packet) => ({ ...packet, destination: ct1.address, destinationPort: containerPort }),
  );

const host = 'lab host';
const tcp = (source: string, destination: string, destinationPort: number): Tuple => ({
  ...{ source, sourcePort: picked, destination, destinationPort },
});

/** From ct1 to an address beyond the uplink. */
function outward({ ct1, bridge, inner }: Plan, target: string, packet: Tuple): Station[] {
  return [
    at(ct1.name, inner),
    at(host, bridge),
    forward('lets containers out', answers),
    masquerade(world.uplink.address, packet.source),
    at(host, world.uplink.name),
    at(target),
  ];
}

export const connectivity = (plan: Plan): Flow =>
  flowOf(
    `A ping from ${plan.ct1.name} to ${plan.ct2.name}`,
    { source: plan.ct1.address, destination: plan.ct2.address },
    [at(plan.ct1.name, plan.inner), at(host, plan.bridge), at(plan.ct2.name, plan.inner)],
  );

export function egress(plan: Plan): Flow {
  const packet = tcp(plan.ct1.address, world.site.address, 80);
  return flowOf(`From ${plan.ct1.name} to the internet`, packet, outward(plan, world.site.name, packet));
}

export function dns(plan: Plan): Flow {
  const packet = tcp(plan.ct1.address, plan.resolver, 53);
  return flowOf(`${plan.ct1.name} asks for a name`, packet, outward(plan, 'name server', packet));
}

export const publish = (plan: Plan): Flow =>
  flowOf(
    `From outside to port ${plan.hostPort} of the lab host`,
    tcp(world.outside, world.uplink.address, plan.hostPort),
    [
      at('outside client'),
      at(host, world.uplink.name),
      translate('PREROUTING', plan, `${world.uplink.address}:${plan.hostPort}`),
      forward('lets in what was sent on (DNAT)', answers),
      at(host, plan.bridge),
      at(plan.ct1.name, plan.inner),
    ],
  );

export const loopback = (plan: Plan): Flow =>
  flowOf(`From the lab host itself to 127.0.0.1:${plan.hostPort}`, tcp('127.0.0.1', '127.0.0.1', plan.hostPort), [
    at('curl on the lab host'),
    translate('OUTPUT', plan, `127.0.0.1:${plan.hostPort}`),
    masquerade(plan.gateway, '127.0.0.1'),
    at(host, plan.bridge),
    at(plan.ct1.name, plan.inner),
  ]);

export const hairpin = (plan: Plan): Flow =>
  flowOf(
    `From ${plan.ct2.name} to port ${plan.hostPort} of the lab host`,
    tcp(plan.ct2.address, world.uplink.address, plan.hostPort),
    [
      at(plan.ct2.name, plan.inner),
      at(`${host}, coming in`, plan.bridge),
      translate('PREROUTING', plan, `${world.uplink.address}:${plan.hostPort}`),
      forward('lets in what was sent on (DNAT)', answers),
      masquerade(plan.gateway, plan.ct2.address),
      at(`${host}, going out`, plan.bridge),
      at(plan.ct1.name, plan.inner),
    ],
  );
