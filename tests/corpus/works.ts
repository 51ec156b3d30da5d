import { type Plan, type Session, world } from '@handwired/host';

const { uplink, site, outside } = world;

/** A test of one thing that every right build has: its name, a command on the lab host, the expected output. */
type Experiment = [name: string, command: string, expected: RegExp];

const exact = (text: string): string => text.replaceAll('.', '\\.');
const page = /^Hello from ct1\n$/;

/** Experiments for the objects that the plan names, by plain commands. */
function shape({ bridge, gateway, prefix, ct1, ct2 }: Plan): Experiment[] {
  const inner = [ct1, ct2].flatMap(({ name, address }): Experiment[] => [
    [
      `${name} has its address`,
      `ip -n ${name} -4 -o addr show dev eth0 up`,
      new RegExp(` ${exact(address)}/${prefix} `),
    ],
    [`${name}'s default route`, `ip -n ${name} route`, new RegExp(`^default via ${exact(gateway)} dev eth0`, 'm')],
    [`${name}'s loopback`, `ip netns exec ${name} ping -c 1 -W 1 127.0.0.1`, / 0% packet loss/],
  ]);
  return [
    ['the gateway has its address', `ip -4 -o addr show dev ${bridge} up`, new RegExp(` ${exact(gateway)}/${prefix} `)],
    ['the bridge is one', `ip -o link show dev ${bridge} type bridge`, /\S/],
    [
      'the uplink is in no bridge',
      `ip -o link show dev ${uplink.name} nomaster`,
      new RegExp(`${uplink.name}.*state UP`),
    ],
    [
      'there are two containers',
      'stat -Lc %i /run/netns/ct1 /run/netns/ct2 /proc/self/ns/net | sort -u | wc -l',
      /^3\n$/,
    ],
    [
      "the lab host's files",
      'cd /run/handwired/corpus/etc && cmp hosts /etc/hosts && cmp nsswitch.conf /etc/nsswitch.conf && echo same',
      /^same\n$/,
    ],
    [
      "the lab host's resolver",
      'cat /etc/resolv.conf',
      /^(nameserver 8\.8\.8\.8\n|# Written at start[^]*nameserver 127\.0\.0\.53\n[^]*)$/,
    ],
    ...inner,
  ];
}

/** Experiments for the traffic that a learner would try. */
function traffic({ ct1, ct2, gateway, hostPort, containerPort }: Plan, seconds: number): Experiment[] {
  const inWorld = 'nsenter --net=/proc/$(cat /run/handwired/world.pid)/ns/net';
  const curl = `curl -sS --max-time ${seconds}`;
  const ping = `ping -c 1 -W ${seconds}`;
  const fromHost = new RegExp(` from ${exact(uplink.address)}:\\d+\n$`);
  const answered = / 0% packet loss/;
  const each = [ct1, ct2].flatMap(({ name }): Experiment[] => [
    [`${name} pings the gateway`, `ip netns exec ${name} ${ping} ${gateway}`, answered],
    [`${name} pings the internet`, `ip netns exec ${name} ${ping} 8.8.8.8`, answered],
    [`${name} gets a page, as ${uplink.address}`, `ip netns exec ${name} ${curl} http://${site.address}/`, fromHost],
    [
      `${name} finds a name`,
      `ip netns exec ${name} timeout ${seconds} getent ahostsv4 ${name}.${site.name}`,
      new RegExp(`^${exact(site.address)} `),
    ],
  ]);
  return [
    ...each,
    ['ct1 pings ct2', `ip netns exec ct1 ${ping} ${ct2.address}`, answered],
    ['ct2 pings ct1', `ip netns exec ct2 ${ping} ${ct1.address}`, answered],
    ['ct1 gets a page by HTTPS', `ip netns exec ct1 ${curl} https://${site.name}/`, fromHost],
    [
      'the lab host finds a name',
      `timeout ${seconds} getent ahostsv4 host.${site.name}`,
      new RegExp(`^${exact(site.address)} `),
    ],
    [
      "ct2 gets another host's page at the published port",
      `ip netns exec ct2 ${curl} http://${site.address}:${hostPort}/`,
      hostPort === 8080 ? fromHost : /^curl: \(7\)/,
    ],
    [
      "the lab host gets another host's page there",
      `${curl} http://${site.address}:${hostPort}/`,
      hostPort === 8080 ? fromHost : /^curl: \(7\)/,
    ],
    ['the lab host gets it directly', `again ${curl} http://${ct1.address}:${containerPort}/`, page],
    ['the lab host gets it by loopback', `again ${curl} http://127.0.0.1:${hostPort}/`, page],
    ['the lab host gets it by its address', `again ${curl} http://${uplink.address}:${hostPort}/`, page],
    [
      'a client outside gets it',
      `again ${inWorld} ${curl} --interface ${outside} http://${uplink.address}:${hostPort}/`,
      page,
    ],
  ];
}

/** A server that takes one client at a time refuses between two, or drops who waits: asked again, unless it is silent. */
const again = (seconds: number): string => `again() {
  end=$(($(date +%s%N) / 1000000 + ${seconds * 1000}))
  until "$@" 2>/dev/null; do
    if [ $? = 28 ] || [ $(($(date +%s%N) / 1000000)) -gt $end ]; then return 1; fi
    sleep 0.05
  done
}`;

/**
 * The names of the experiments that do not end as in a right build. They use plain commands and nothing of the checker,
 * and run all at once. `seconds` is how long one waits for an answer.
 */
export async function whatFails(session: Session, plan: Plan, seconds: number): Promise<string[]> {
  const all = [...shape(plan), ...traffic(plan, seconds)];
  const script = all.map(([, command], n) => `{ ${command}; } >$d/${n} 2>&1 </dev/null &`).join('\n');
  const print = all.map((_, n) => `printf '%s\\0' "$(cat $d/${n}; echo .)"`).join('\n');
  const { stdout } = await session.exec('sh -s', {
    input: `${again(seconds)}\nd=$(mktemp -d)\n${script}\nwait\n${print}\nrm -r $d\n`,
  });
  const printed = stdout.split('\0');
  return all
    .filter(([, , expected], n) => !expected.test((printed[n] ?? '.').replace(/\.$/, '')))
    .map(([name]) => name);
}
