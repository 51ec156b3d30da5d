import { world } from '@handwired/host';
import type { Case } from '../checks/check.ts';
import type { HopKind, Which } from './hops.ts';

const link = world.uplink.name;

/** Where to look at each kind of hop, and with which commands. They show; they change nothing, and they name no cause. */
export const looks: Record<HopKind, (the: Case, which: Which) => string> = {
  inner: ({ plan }, which) =>
    `what ${plan[which].name} is and has: ip netns list; ls -l /run/netns; ip -n ${plan[which].name} -d addr; ip -n ${plan[which].name} route; ip -n ${plan[which].name} neigh`,
  client: ({ plan }, which) =>
    `what ${plan[which].name} itself does with the answer: ip netns exec ${plan[which].name} nft list ruleset; ip netns exec ${plan[which].name} iptables -nvL`,
  server: ({ plan }, which) =>
    `what listens in ${plan[which].name}, and which rules it has: ip netns exec ${plan[which].name} ss -ltnp; ip netns exec ${plan[which].name} iptables -nvL`,
  veth: () => 'the cables and where their ends are: ip -d link show type veth; bridge link',
  bridge: ({ plan }) =>
    `the bridge and its ports: ip -d addr show ${plan.bridge}; bridge -d link; bridge fdb show br ${plan.bridge}`,
  PREROUTING: () =>
    'what is done to a packet when it comes in: iptables -t nat -nvL PREROUTING; iptables -t raw -nvL PREROUTING; nft list ruleset; ss -ltnp',
  OUTPUT: () =>
    "what is done to the lab host's own packets: iptables -t nat -nvL OUTPUT; iptables -nvL OUTPUT; nft list ruleset",
  host: () => 'what the lab host does with packets for itself: iptables -nvL INPUT; nft list ruleset',
  routing: ({ plan }) =>
    `where the lab host sends it, and whether it sends on what is not for itself: ip rule; ip route show table all; sysctl -a --pattern 'ipv4.*(forward|rp_filter|localnet)'; ip route get ${world.resolvers[0]} from ${plan.ct1.address} iif ${plan.bridge}`,
  FORWARD: () =>
    'which rules judge what passes the lab host, and which of them count: iptables -nvL FORWARD; iptables-legacy -nvL FORWARD; nft list ruleset',
  POSTROUTING: () =>
    `with which source it leaves, and which rules should change that: tcpdump -nni ${link} -c 4; iptables -t nat -nvL POSTROUTING`,
  uplink: () => `the lab host's own way out: ip -d addr show ${link}; ip route`,
  world: () => `what leaves and comes back by ${link}: tcpdump -nni ${link} -c 8`,
  names: ({ plan }, which) =>
    `what ${plan[which].name} reads, and whom it asks: ip netns exec ${plan[which].name} cat /etc/resolv.conf /etc/nsswitch.conf; ls -l /etc/netns/*; tcpdump -nni any -c 4 port 53; ls -l /etc/resolv.conf`,
};
