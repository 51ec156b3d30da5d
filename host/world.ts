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

/** Paths on a lab host that only the grader uses. The folder is 0700, root's. */
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
