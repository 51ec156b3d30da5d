/**
 * Where chapter docker's daemon lives: a network namespace of the lab host, as if it were a machine beside it. RFC 5737
 * gives 192.0.2.0/24 to documentation, so that no plan and no world has it.
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
  /** The image that the lab host can build, the container that publishes the plan's port, and one on a network of its own. */
  image: 'web',
  container: 'web',
  neighbour: 'api',
  network: 'app',
} as const;
