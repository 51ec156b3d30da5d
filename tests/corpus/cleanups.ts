import { Conditions, defaultPlan } from '@handwired/host';
import type { Case } from './case.ts';
import { buildLines, cleanupLines, type Line, scriptOf } from './lines.ts';

type Order = (lines: Line[]) => Line[];

/** Every `nth` line of what is left, round and round: an order that has nothing to do with the course's. */
const mixed =
  (nth: number): Order =>
  (lines) => {
    const rest = [...lines];
    const order: Line[] = [];
    for (let at = 0; rest.length > 0; ) {
      at = (at + nth) % rest.length;
      order.push(...rest.splice(at, 1));
    }
    return order;
  };

const first =
  (pattern: RegExp): Order =>
  (lines) => [...lines.filter(({ cmd }) => pattern.test(cmd)), ...lines.filter(({ cmd }) => !pattern.test(cmd))];
/** Files before their folders. */
const sound: Order = (lines) => [
  ...lines.filter(({ cmd }) => !cmd.startsWith('rmdir')),
  ...lines.filter(({ cmd }) => cmd.startsWith('rmdir')),
];

const orders: Record<string, Order> = {
  'the last first': (lines) => lines,
  'the first first': (lines) => sound(lines.toReversed()),
  'the namespaces first, with the server in one of them': first(/^ip netns del/),
  'the bridge first': first(/^ip link del/),
  'the rules last': (lines) => first(/^(?!iptables)/)(lines),
  'mixed by 5': (lines) => sound(mixed(5)(lines)),
  'mixed by 7': (lines) => sound(mixed(7)(lines)),
};

/** Other ways to the same end. */
const ways: Record<string, string> = {
  'the rules restored without those of the learner': `iptables-save | grep -v handwired | iptables-restore
kill $(ip netns pids ct1); for n in ct1 ct2; do ip netns del $n; done; ip link del br0
rm -r /etc/netns /srv/ct1; sysctl -w net.ipv4.ip_forward=FORWARD`,
  'all processes of both namespaces killed, cables deleted one by one': `for n in ct1 ct2; do ip netns pids $n | xargs -r kill -9; done
ip link del veth-ct1; ip link del veth-ct2; ip netns del ct2; ip netns del ct1; brctl delbr br0 || { ip link set br0 down; brctl delbr br0; }
for t in raw nat filter; do iptables -t $t -S | grep -- '--comment handwired' | sed 's/^-A/-D/' | while read -r rule; do eval "iptables -t $t $rule"; done; done
rm -r /etc/netns/ct1 /etc/netns/ct2 /srv/ct1; echo FORWARD >/proc/sys/net/ipv4/ip_forward`,
};

/** Cleanups that leave nothing and take nothing of others, in any order, under both values that ip_forward can have had. */
export function rightCleanups(): Case[] {
  const script = scriptOf(buildLines());
  return (['0', '1'] as const).flatMap((forward) => {
    const lines = cleanupLines(forward);
    const texts = [
      ...Object.entries(orders).map(([name, order]) => [name, scriptOf(order(lines))] as const),
      ...Object.entries(ways).map(([name, text]) => [name, text.replaceAll('FORWARD', forward)] as const),
    ];
    const conditions = Conditions.parse({
      'ip-forward': forward,
      'forward-policy': forward === '1' ? 'drop' : 'accept',
    });
    const common = { class: 'right', grades: 'cleanup', conditions, plan: defaultPlan, script } as const;
    return texts.map(
      ([name, cleanup]): Case => ({
        ...common,
        id: `right cleanup: ${name}, ip_forward back to ${forward}`,
        cleanup,
        expected: { pass: true },
      }),
    );
  });
}
