import type { Plan } from '@handwired/host';
import { $, appendRule, type ChapterContent, mark, removeRule, type Sh } from '@handwired/course';

export const chapter: ChapterContent = {
  title: 'The containers reach each other',
  needs: ['addressing'],
  points: 5,
  steps: [
    {
      id: 'allow',
      title: 'Let the bridge carry traffic between its ports, whatever the firewall does with the rest.',
      why: 'With br_netfilter on, frames that only cross the bridge pass the FORWARD chain of iptables as well. Where its policy is DROP, the containers could not reach each other without this rule.',
      docker: {
        does: 'Accepts all that comes from the bridge by one rule in its chain DOCKER-FORWARD. With inter-container communication off there is a DROP for bridge to bridge instead.',
        source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/network.go: setupNonInternalNetworkRules, setIcc',
      },
      object: { name: 'rule, bridge to bridge', for: 'the containers reach each other', docker: 'enable_icc' },
      build: (plan) => appendRule(createBridgeRule(plan)),
      undo: (plan) => removeRule(createBridgeRule(plan)),
    },
    {
      id: 'ping',
      title: 'Ping each container from the other.',
      why: 'An answer proves the whole way there and back: addresses, ARP, both cables, the bridge.',
      docker: {
        does: 'Does not test. It announces the new address to the neighbours, so that they forget an older owner.',
        source: 'daemon/libnetwork/osl/interface_linux.go: advertiseAddrs',
      },
      build: ({ ct1, ct2 }) => [
        { run: $`ip netns exec ${ct1.name} ping -c 2 -i 0.2 -W 2 ${ct2.address}` },
        { run: $`ip netns exec ${ct2.name} ping -c 2 -i 0.2 -W 2 ${ct1.address}` },
      ],
    },
  ],
  cleanup: {
    title: "Remove the bridge's own rule.",
    why: 'A rule that names an interface stays when the interface goes, and meets the next one of that name.',
    docker: {
      does: 'The same, with the other rules of the network.',
      source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/network.go: DelNetworkLevelRules',
    },
  },
};

/** The firewall rule of this chapter: it accepts what goes from the bridge into the bridge. */
export const createBridgeRule = ({ bridge }: Plan): Sh =>
  $`iptables -A FORWARD -i ${bridge} -o ${bridge} ${mark} -j ACCEPT`;
