import { chapterData } from '../script.ts';

export const chapter = chapterData({
  id: 'publish',
  number: '08',
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
    },
    {
      id: 'serve',
      title: 'Start a web server in ct1.',
      why: 'It has to listen on an address that packets for ct1 can have. On 127.0.0.1 only ct1 itself would reach it.',
      docker: {
        does: "Starts the container's process in the new namespaces by runc.",
        source: 'daemon/start.go: containerStart',
      },
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
    },
    {
      id: 'accept',
      title: 'Let in what was sent on by such a rule.',
      why: 'Where the policy of FORWARD is DROP, new connections from outside would end there. ctstate DNAT is true only for those that came by the published port.',
      docker: {
        does: "Accepts what goes to the container's port, for each published port; the raw rule keeps direct access out.",
        source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/port.go: setPerPortForwarding',
      },
    },
    {
      id: 'guard',
      title: "Drop what containers send to the host's 127.0.0.0/8.",
      why: 'The next step makes the bridge carry loopback addresses. Without this rule a container could then reach services that listen on 127.0.0.1 only (CVE-2020-8558).',
      docker: {
        does: 'Drops it for ports published on 127.0.0.1. Kubernetes, where that hole was found, drops it for all, as here.',
        source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/port.go: filterPortMappedOnLoopback',
      },
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
    },
    {
      id: 'source',
      title: "Give what the host sends into the bridge the bridge's address.",
      why: 'To 127.0.0.1 ct1 would answer itself. Clients from outside are not touched: ct1 sees their own addresses.',
      docker: {
        does: 'The same rule, when docker-proxy is off.',
        source: 'daemon/libnetwork/drivers/bridge/internal/iptabler/network.go: setupNonInternalNetworkRules',
      },
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
    },
  ],
});
