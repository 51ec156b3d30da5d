/**
 * Everything beyond the uplink, as cloud-init/ builds it on every lab host. The shell and Python files there
 * hold the same numbers; tests/world.test.ts compares the two.
 */
export const world = {
  uplink: { name: 'enp1s0', address: '203.0.113.2', prefix: 24, gateway: '203.0.113.1' },
  resolvers: ['8.8.8.8', '1.1.1.1'],
  site: { name: 'example.com', address: '93.184.216.34', ports: [80, 443, 8080] },
  outside: '198.51.100.7',
  lanPeer: '203.0.113.77',
} as const;

/** Paths on a lab host that only the grader uses. The folder belongs to root and has mode 0700. */
export const hostPaths = {
  run: '/run/handwired',
  /** Pid of the process that holds the world's unnamed network namespace. */
  worldPid: '/run/handwired/world.pid',
  /** One JSON object a line: what the world saw. */
  worldLog: '/run/handwired/world.log',
  /** Written last at start: the lab host is ready when this exists. */
  ready: '/run/handwired/ready',
  /** KEY=VALUE lines from the driver: LAB_NAME, FORWARD_POLICY, BRIDGE_NF, RESOLVER, IP_FORWARD. */
  env: '/etc/handwired/lab.env',
  /** The numbered scripts and the world's server. */
  lib: '/usr/local/lib/handwired',
} as const;

/**
 * The network namespace of the lab host in which chapter docker's daemon runs, like a machine beside the lab host. RFC
 * 5737 reserves 192.0.2.0/24 for documentation, so no plan and no world uses it.
 */
export const dockerHost = {
  /** The namespace, in /run/netns. */
  netns: 'docker',
  /** The lab host's end of the cable, and its address there. */
  veth: 'veth-docker',
  gateway: '192.0.2.1',
  /** The other end: the one address by which the lab host reaches this Docker. */
  inner: 'eth0',
  address: '192.0.2.2',
  prefix: 30,
  /** Docker's own bridge. */
  bridge: 'docker0',
  /** The image that the lab host can build, the container with the plan's port, and one on a network of its own. */
  image: 'web',
  container: 'web',
  neighbour: 'api',
  network: 'app',
} as const;

/** Names for the two ends of a packet's path; `internet` is the world's site. Any IPv4 address can also be an end. */
export const trafficEnds = ['ct1', 'ct2', 'host', 'outside', 'lan', 'internet'] as const;
