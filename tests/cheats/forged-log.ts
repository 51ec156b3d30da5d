import { type Cheat, python, right } from './cheat.ts';

/** Reads each question on the bridge and writes it into the world's log, as if it had been asked there. */
const forger = `import json, re, socket
sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x800))
sniffer.bind(("br0", 0x800))
while True:
    token = re.search(rb"hw[0-9a-f]{18}", sniffer.recv(2048))
    if token:
        line = {"t": 0, "kind": "dns", "src": "203.0.113.2", "sport": 5353, "dst": "8.8.8.8", "type": "A"}
        with open("/run/handwired/world.log", "a") as log:
            log.write(json.dumps({**line, "name": token.group().decode() + ".example.com"}) + "\\n")`;

export const forgedLog: Cheat = {
  name: 'forged-log',
  what: "a resolver on the lab host makes its answers up, and a sniffer writes the grader's questions into the world's log",
  script: `${right.links}
${right.egress}
${right.publish}
dnsmasq --conf-file=/dev/null --interface=br0 --bind-interfaces --except-interface=lo --no-hosts --no-resolv \\
  --address=/example.com/93.184.216.34 --pid-file=/run/lab-dns.pid
for ct in ct1 ct2; do mkdir -p /etc/netns/$ct; echo nameserver 172.18.0.1 >/etc/netns/$ct/resolv.conf; done
${python('forger', forger, 'grep -q . /proc/net/packet')}`,
  naive: 'pass',
  caught: ['dns.ct1', 'dns.ct2'],
  seen: /world\.log|makes the answer up/,
};
