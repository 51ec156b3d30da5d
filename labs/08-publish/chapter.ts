import type { Container, Plan } from '@handwired/host';
import {
  $,
  appendRule,
  type ChapterContent,
  type Command,
  giveBack,
  mark,
  not,
  noteBefore,
  removeRule,
  restoreSysctl,
  setSysctl,
  sh,
  type Sh,
} from '@handwired/course';

export const chapter: ChapterContent = {
  title: 'A published port',
  needs: ['egress'],
  points: 15,
  steps: [
    {
      id: 'page',
      title: 'Make a folder with a page in it.',
      why: "The web server shows every file of the folder that it is given. Started as it comes, that is the caller's: root's home.",
      docker: {
        does: "A container has files of its own: its image, mounted as its root. We have only a network namespace, so ct1 sees all of the host's files.",
        source: 'daemon/oci_linux.go: withMounts, WithRootfs',
      },
      build: ({ ct1 }) => [
        { done: $`test -d ${pageFolder(ct1)}`, run: $`mkdir -p ${pageFolder(ct1)}` },
        { done: $`test -s ${pageFile(ct1)}`, run: sh(`${printHello(ct1).cmd} ${$`> ${pageFile(ct1)}`.cmd}`) },
      ],
      undo: ({ ct1 }) => [
        { done: not(hasOurPage(ct1)), run: $`rm ${pageFile(ct1)}` },
        {
          done: not($`test -d ${pageFolder(ct1)} && test -z "$(ls -A ${pageFolder(ct1)})"`),
          run: $`rmdir ${pageFolder(ct1)}`,
        },
      ],
    },
    {
      id: 'serve',
      title: 'Start a web server in ct1.',
      why: 'It has to listen on an address that packets for ct1 can have. On 127.0.0.1 only ct1 itself would reach it.',
      docker: {
        does: "Starts the container's process in the new namespaces by runc.",
        source: 'daemon/start.go: containerStart',
      },
      build: (plan) => startServer(plan),
      undo: (plan) => stopServer(plan),
    },
    {
      id: 'dnat',
      title: "Send what comes in for the host's port on to ct1.",
      why: 'Only for addresses of the host (dst-type LOCAL): without that, a container that talks to this port anywhere in the world would end at ct1.',
      docker: {
        does: 'Jumps to its chain DOCKER under the same condition, with a DNAT rule in it for each published port.',
        source:
          'daemon/libnetwork/drivers/bridge/internal/iptabler/port.go: setPerPortNAT; network.go: addNATJumpRules',
      },
      object: { name: 'DNAT', for: 'the port of the host leads to the container', docker: '-p, chain DOCKER' },
      build: (plan) => appendRule(createPublishRules(plan).dnat),
      undo: (plan) => removeRule(createPublishRules(plan).dnat),
    },
    {
      id: 'local',
      title: 'Do the same for what the host itself sends.',
      why: 'Packets made on the host never pass PREROUTING. They pass OUTPUT, so the rule is needed there as well.',
      docker: {
        does: 'Jumps from OUTPUT to the same chain; for 127.0.0.0/8 it leaves that to docker-proxy, unless that is off.',
        source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/network.go: addNATJumpRules',
      },
      object: { name: 'DNAT in OUTPUT', for: 'the host itself is a client too', docker: '-p, chain DOCKER' },
      build: (plan) => appendRule(createPublishRules(plan).local),
      undo: (plan) => removeRule(createPublishRules(plan).local),
    },
    {
      id: 'accept',
      title: 'Let in what was sent on by such a rule.',
      why: 'Where the policy of FORWARD is DROP, new connections from outside would end there. ctstate DNAT is true only for those that came by the published port.',
      docker: {
        does: "Accepts what goes to the container's port, for each published port; the raw rule keeps direct access out.",
        source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/port.go: setPerPortForwarding',
      },
      build: (plan) => appendRule(createPublishRules(plan).accept),
      undo: (plan) => removeRule(createPublishRules(plan).accept),
    },
    {
      id: 'guard',
      title: "Drop what containers send to the host's 127.0.0.0/8.",
      why: 'The next step makes the bridge carry loopback addresses. Without this rule a container could then reach services that listen on 127.0.0.1 only (CVE-2020-8558).',
      docker: {
        does: 'Drops it for ports published on 127.0.0.1. Kubernetes, where that hole was found, drops it for all, as here.',
        source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/port.go: filterPortMappedOnLoopback',
      },
      build: (plan) => appendRule(createPublishRules(plan).guard),
      undo: (plan) => removeRule(createPublishRules(plan).guard),
    },
    {
      id: 'loopback',
      title: 'Let 127.0.0.1 pass the bridge.',
      why: 'A connection to 127.0.0.1 also has 127.0.0.1 as its source. The kernel refuses to send such a packet by any link but lo, unless this is set on the link.',
      docker: {
        does: 'Sets it on its bridge when docker-proxy is off. With docker-proxy it is not needed: that accepts the connection on the host and opens another to the container.',
        source: 'daemon/libnetwork/drivers/bridge/setup_ipv4_linux.go: setupLoopbackAddressesRouting',
      },
      object: { name: 'loopback on the bridge', for: '127.0.0.1 works as well', docker: 'docker-proxy' },
      build: ({ bridge }) => setSysctl('route_localnet', `net.ipv4.conf.${bridge}.route_localnet`),
      undo: () => restoreSysctl('route_localnet'),
    },
    {
      id: 'source',
      title: "Give what the host sends into the bridge the bridge's address.",
      why: 'To 127.0.0.1 ct1 would answer itself. Clients from outside are not touched: ct1 sees their own addresses.',
      docker: {
        does: 'The same rule, when docker-proxy is off.',
        source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/network.go: setupNonInternalNetworkRules',
      },
      build: (plan) => appendRule(createPublishRules(plan).source),
      undo: (plan) => removeRule(createPublishRules(plan).source),
    },
    {
      id: 'hairpin',
      title: 'Let containers use the published port too.',
      why: 'Their packets go to the host and come back into the same subnet. Without a change of source ct1 would answer its neighbour directly, who never asked that address. And a bridge sends nothing back out of the port that it came in by, unless that port is told to.',
      docker: {
        does: "The same, when docker-proxy is off: the rule for a container's own address, hairpin mode on each port.",
        source:
          'daemon/libnetwork/drivers/bridge/internal/iptabler/port.go: setPerPortNAT; bridge_linux.go: setHairpinMode',
      },
      object: { name: 'hairpin', for: 'a container is a client too', docker: 'hairpin mode' },
      build: (plan) => [
        appendRule(createPublishRules(plan).hairpin),
        noteBefore(nameHairpinNote(plan), $`echo off`, {
          done: isHairpin(plan),
          run: $`bridge link set dev ${plan.ct1.veth} hairpin on`,
        }),
      ],
      undo: (plan) => [
        giveBack(nameHairpinNote(plan), $`bridge link set dev ${plan.ct1.veth} hairpin off`, isHairpin(plan)),
        removeRule(createPublishRules(plan).hairpin),
      ],
    },
  ],
  cleanup: {
    title: 'Take the published port back: rules, settings, server, page.',
    why: 'In reverse order, and each thing by its own name: a flush would also remove the rules of others.',
    docker: {
      does: 'Releases the ports and removes their rules when the container stops.',
      source: 'daemon/libnetwork/drivers/bridge/port_mapping_linux.go: releasePorts',
    },
  },
};

type Rule = 'dnat' | 'local' | 'accept' | 'guard' | 'source' | 'hairpin';

/** The firewall rules of this chapter by step, as its build adds them. */
export function createPublishRules({ bridge, subnet, hostPort, containerPort, ct1 }: Plan): Record<Rule, Sh> {
  const published = ['-m', 'addrtype', '--dst-type', 'LOCAL', '-p', 'tcp', '--dport', String(hostPort)];
  const target = ['-j', 'DNAT', '--to-destination', `${ct1.address}:${containerPort}`];
  const service = ['-d', ct1.address, '-p', 'tcp', '--dport', String(containerPort)];
  const sentOn = ['-m', 'conntrack', '--ctstate', 'DNAT'];
  return {
    dnat: $`iptables -t nat -A PREROUTING ${published} ${mark} ${target}`,
    local: $`iptables -t nat -A OUTPUT ${published} ${mark} ${target}`,
    accept: $`iptables -A FORWARD -o ${bridge} ${service} ${sentOn} ${mark} -j ACCEPT`,
    guard: $`iptables -t raw -A PREROUTING -i ${bridge} -d 127.0.0.0/8 ${mark} -j DROP`,
    source: $`iptables -t nat -A POSTROUTING -o ${bridge} -m addrtype --src-type LOCAL ${mark} -j MASQUERADE`,
    hairpin: $`iptables -t nat -A POSTROUTING -s ${subnet} ${service} ${sentOn} ${mark} -j MASQUERADE`,
  };
}

/** A test: hairpin mode is on, so a frame may leave by the port that it came in by (bridge(8)). */
const isHairpin = ({ ct1 }: Plan): Sh => $`bridge -d link show dev ${ct1.veth} | grep -q 'hairpin on'`;
const nameHairpinNote = ({ ct1 }: Plan): string => `hairpin-${ct1.veth}`;

/** The folder that is served, its page, and the log of requests. */
const pageFolder = ({ name }: Container): string => `/srv/${name}`;
const pageFile = (ct: Container): string => `${pageFolder(ct)}/index.html`;
const logFile = ({ name }: Container): string => `/run/${name}-web.log`;
const printHello = ({ name }: Container): Sh => $`echo ${`Hello from ${name}`}`;

/** A test: the page is the one that the build writes, or it is empty because a build was interrupted. */
function hasOurPage(ct: Container): Sh {
  const ours = `${printHello(ct).cmd} | ${$`cmp -s - ${pageFile(ct)}`.cmd}`;
  return sh(`test -e ${pageFile(ct)} && { ${ours} || ! test -s ${pageFile(ct)}; }`);
}

/** The server's command line. No other web server has its folder, so this line identifies it. */
const createServerArgv = ({ ct1, containerPort }: Plan): string[] =>
  `python3 -m http.server ${containerPort} --bind 0.0.0.0 --directory ${pageFolder(ct1)}`.split(' ');

/** Starts ct1's web server so that it outlives the ssh session and holds none of its channels (setsid(1)). */
export const startServer = (plan: Plan): Command => ({
  done: $`ip netns exec ${plan.ct1.name} ss -Hltn ${`sport = :${plan.containerPort}`} | grep -q .`,
  run: $`setsid --fork ip netns exec ${plan.ct1.name} ${createServerArgv(plan)} < /dev/null > ${logFile(plan.ct1)} 2>&1`,
});

/** Ends what `startServer` started: processes with exactly that command line in a netns other than the host's. */
function stopServer(plan: Plan): Command[] {
  const line = createServerArgv(plan).join(' ');
  const found = $`for pid in $(pgrep -xf ${line}); do test "/proc/$pid/ns/net" -ef /proc/self/ns/net || echo "$pid"; done`;
  return [
    { done: sh(`test -z "$(${found.cmd})"`), run: sh(`kill $(${found.cmd})`) },
    { done: not($`test -e ${logFile(plan.ct1)}`), run: $`rm ${logFile(plan.ct1)}` },
  ];
}
