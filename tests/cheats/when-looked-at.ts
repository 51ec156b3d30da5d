import { type Cheat, python, right } from './cheat.ts';

/** At the first packet of a container switches forwarding on, and off again after a second without one. */
const watcher = `import socket
def forward(value):
    with open("/proc/sys/net/ipv4/ip_forward", "w") as file:
        file.write(value)
sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x800))
sniffer.bind(("br0", 0x800))
on = False
while True:
    sniffer.settimeout(1 if on else None)
    try:
        sniffer.recv(2048)
    except TimeoutError:
        forward("0")
        on = False
        continue
    if not on:
        forward("1")
        on = True`;

export const whenLookedAt: Cheat = {
  name: 'when-looked-at',
  what: 'forwarding is switched on by the first packet of a container, and off again when nobody looks',
  script: `${right.links}
${right.egress.replace(/^sysctl .*$/m, '')}
${right.dns}
${right.publish}
${python('watcher', watcher, 'grep -q . /proc/net/packet')}`,
  rest: '[ "$(sysctl -n net.ipv4.ip_forward)" = 0 ]',
  naive: 'pass',
  caught: ['egress.ct1', 'egress.ct2'],
  seen: /forwarding of all became 1 \(on the lab host\) while experiments were made/,
};
