import type { Plan } from '@handwired/host';
import { $, appendRule, type ChapterContent, mark, removeRule, restoreSysctl, setSysctl } from '@handwired/course';

export const chapter: ChapterContent = {
  title: 'From the containers to the internet',
  needs: ['connectivity'],
  points: 15,
  steps: [
    {
      id: 'protect',
      title: "Drop what comes from elsewhere for a container's own address.",
      why: 'As soon as the host forwards, anyone on its network who adds a route can reach the containers. This is dropped before NAT is looked at, so a port that is published later is not touched: its packets are for an address of the host.',
      docker: {
        does: 'Adds the same raw rule for each container since version 28.',
        source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/endpoint.go: filterDirectAccess',
      },
      object: { name: 'rule in raw', for: 'nobody reaches a container directly', docker: 'direct access filter' },
      build: (plan) => createEgressRules(plan).protect.map(appendRule),
      undo: (plan) => createEgressRules(plan).protect.map(removeRule),
    },
    {
      id: 'out',
      title: 'Let the containers out.',
      why: 'Where the policy of FORWARD is DROP, nothing passes between bridge and uplink without it. It names no uplink: any way that is not back into the bridge.',
      docker: {
        does: 'The same, by the one rule in DOCKER-FORWARD that also lets its containers reach each other.',
        source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/network.go: setupNonInternalNetworkRules',
      },
      object: { name: 'rule, out', for: 'the containers open connections', docker: 'chain DOCKER-FORWARD' },
      build: (plan) => appendRule(createEgressRules(plan).out),
      undo: (plan) => removeRule(createEgressRules(plan).out),
    },
    {
      id: 'back',
      title: 'Let the answers back in, and only answers.',
      why: 'Connection tracking knows which packets belong to a connection that a container opened.',
      docker: {
        does: 'The same rule in its chain DOCKER-CT.',
        source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/network.go: setupIPTables',
      },
      object: { name: 'rule, back', for: 'answers come in, and only answers', docker: 'chain DOCKER-CT' },
      build: (plan) => appendRule(createEgressRules(plan).back),
      undo: (plan) => removeRule(createEgressRules(plan).back),
    },
    {
      id: 'masquerade',
      title: "Give packets that leave the host's own address as their source.",
      why: 'Nobody out there has a route to a private address, so an answer to it would never come back.',
      docker: {
        does: 'The same rule, for each network that is not internal.',
        source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/network.go: setupNonInternalNetworkRules',
      },
      object: {
        name: 'masquerade',
        for: 'answers find their way back',
        docker: 'enable_ip_masquerade',
      },
      build: (plan) => appendRule(createEgressRules(plan).masquerade),
      undo: (plan) => removeRule(createEgressRules(plan).masquerade),
    },
    {
      id: 'forwarding',
      title: 'Make the host a router.',
      why: 'A host drops packets that are not for itself. It comes last, so that the rules are there from the first packet on. Look at the value before you change it: cleaning up means giving that one back.',
      docker: {
        does: 'The same. If it was off, it also sets the policy of FORWARD to DROP, for all of the host.',
        source: 'daemon/libnetwork/drivers/bridge/setup_ip_forwarding.go: setupIPv4Forwarding',
      },
      object: { name: 'forwarding', for: 'the host is a router', docker: '--ip-forward' },
      build: () =>
        setSysctl('ip_forward', 'net.ipv4.ip_forward', [
          // inet_forward_change (net/ipv4/devinet.c) also sets these.
          'net/ipv4/conf/all/accept_redirects',
          'net/ipv4/conf/*/forwarding',
        ]),
      undo: () => restoreSysctl('ip_forward'),
    },
  ],
  cleanup: {
    title: 'Take the router back: forwarding as it was, the rules gone.',
    why: 'As it was, which may have been on: someone else may need it. Switching it also changes accept_redirects and the forwarding of each interface.',
    docker: {
      does: 'Removes the rules of a network with the network, and leaves forwarding and the policy of FORWARD as it set them.',
      source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/network.go: DelNetworkLevelRules',
    },
  },
};

/** The firewall rules of this chapter by step, as its build adds them; `protect` is one for each container. */
export const createEgressRules = ({ bridge, subnet, ct1, ct2 }: Plan) => ({
  protect: [ct1, ct2].map(
    ({ address }) => $`iptables -t raw -A PREROUTING -d ${address} ! -i ${bridge} ${mark} -j DROP`,
  ),
  out: $`iptables -A FORWARD -i ${bridge} ! -o ${bridge} ${mark} -j ACCEPT`,
  back: $`iptables -A FORWARD -o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED ${mark} -j ACCEPT`,
  masquerade: $`iptables -t nat -A POSTROUTING -s ${subnet} ! -o ${bridge} ${mark} -j MASQUERADE`,
});
