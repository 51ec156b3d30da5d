import { chapterData } from '../script.ts';

export const chapter = chapterData({
  id: 'connectivity',
  number: '05',
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
    },
    {
      id: 'ping',
      title: 'Ping each container from the other.',
      why: 'An answer proves the whole way there and back: addresses, ARP, both cables, the bridge.',
      docker: {
        does: 'Does not test. It announces the new address to the neighbours, so that they forget an older owner.',
        source: 'daemon/libnetwork/osl/interface_linux.go: advertiseAddrs',
      },
    },
  ],
});
