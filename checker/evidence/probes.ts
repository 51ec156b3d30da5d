import { dockerHost, type Plan, world } from '@handwired/host';

/** An experiment: who sends what to whom. `in` is `root`, `world` or a container's netns. */
export type Probe =
  | { kind: 'icmp'; in: string; to: string }
  | { kind: 'http'; in: string; to: string; port: number; from?: string; patient?: boolean; size?: number }
  | { kind: 'https' | 'lookup'; in: string; name: string };

const site = world.site.address;
const [internet] = world.resolvers;

/**
 * Bytes of the path in an HTTP request. The request, and the reply that repeats the path, then almost fill one packet
 * of an Ethernet link. They must not need several packets: where the kernel hands several over as one (GSO), they pass
 * a link of any MTU unsplit.
 */
const size = 1200;

/**
 * All experiments, by id. `patient` ones try again until the deadline: a server that takes one client at a time may
 * refuse connections between two clients.
 */
export const probes = {
  /** Controls: they show whether the world answers at all, and whether the lab host reaches it. */
  'world>site': () => ({ kind: 'http', in: 'world', to: site, port: 80 }),
  'host>site': () => ({ kind: 'http', in: 'root', to: site, port: 80 }),

  'ct1>ct2': ({ ct1, ct2 }) => ({ kind: 'icmp', in: ct1.name, to: ct2.address }),
  'ct2>ct1': ({ ct1, ct2 }) => ({ kind: 'icmp', in: ct2.name, to: ct1.address }),
  'ct1>gateway': ({ ct1, gateway }) => ({ kind: 'icmp', in: ct1.name, to: gateway }),
  'ct2>gateway': ({ ct2, gateway }) => ({ kind: 'icmp', in: ct2.name, to: gateway }),

  'ct1>internet': ({ ct1 }) => ({ kind: 'icmp', in: ct1.name, to: internet }),
  'ct2>internet': ({ ct2 }) => ({ kind: 'icmp', in: ct2.name, to: internet }),
  'ct1>site': ({ ct1 }) => ({ kind: 'http', in: ct1.name, to: site, port: 80 }),
  'ct2>site': ({ ct2 }) => ({ kind: 'http', in: ct2.name, to: site, port: 80 }),
  'ct1>site:large': ({ ct1 }) => ({ kind: 'http', in: ct1.name, to: site, port: 80, size }),
  'ct2>site:large': ({ ct2 }) => ({ kind: 'http', in: ct2.name, to: site, port: 80, size }),

  'ct1 lookup': ({ ct1 }) => ({ kind: 'lookup', in: ct1.name, name: world.site.name }),
  'ct2 lookup': ({ ct2 }) => ({ kind: 'lookup', in: ct2.name, name: world.site.name }),
  'host lookup': () => ({ kind: 'lookup', in: 'root', name: world.site.name }),
  'ct1 https': ({ ct1 }) => ({ kind: 'https', in: ct1.name, name: world.site.name }),

  'host>server': ({ ct1, containerPort }) => ({
    kind: 'http',
    in: 'root',
    to: ct1.address,
    port: containerPort,
    patient: true,
  }),
  'host>loopback': ({ hostPort }) => ({ kind: 'http', in: 'root', to: '127.0.0.1', port: hostPort, patient: true }),
  'host>uplink': ({ hostPort }) => ({
    kind: 'http',
    in: 'root',
    to: world.uplink.address,
    port: hostPort,
    patient: true,
  }),
  'outside>uplink': ({ hostPort }) => ({
    kind: 'http',
    in: 'world',
    from: world.outside,
    to: world.uplink.address,
    port: hostPort,
    patient: true,
  }),
  /** Requests to another host with the published port's number. They must not end in ct1. */
  'ct2>site:port': ({ ct2, hostPort }) => ({ kind: 'http', in: ct2.name, to: site, port: hostPort }),
  'host>site:port': ({ hostPort }) => ({ kind: 'http', in: 'root', to: site, port: hostPort }),
  /** The port that the Docker daemon of chapter docker publishes at its own uplink. */
  'host>docker': ({ hostPort }) => ({
    kind: 'http',
    in: 'root',
    to: dockerHost.address,
    port: hostPort,
    patient: true,
  }),
} satisfies Record<string, (plan: Plan) => Probe>;

/** The id of an experiment: a key of `probes`. */
export type ProbeId = keyof typeof probes;

/** These two distinguish a failed experiment from a world that is down. */
export const controls: readonly ProbeId[] = ['world>site', 'host>site'];

/** The settings of a copy of the lab host. */
export interface Condition {
  /** Policy of iptables' FORWARD. */
  forwardPolicy: 'accept' | 'drop';
  /** net.bridge.bridge-nf-call-iptables. */
  bridgeNf: '0' | '1';
  /** The lab host has this condition already. The copy's settings stay, and it must show what the original shows. */
  own: boolean;
  /** The variants of iptables whose FORWARD policy becomes DROP. */
  drop: ('nft' | 'legacy')[];
}

/** The conditions and experiments for copies of the lab host's namespaces. */
export interface CopiesWanted {
  conditions: Condition[];
  probes: ProbeId[];
}
