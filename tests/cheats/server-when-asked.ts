import { type Cheat, right } from './cheat.ts';

/** At any packet for ct1 starts a server there, and ends it after a second without one: nobody listens before and after. */
const sleeper = `import select, socket
sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, socket.htons(0x800))
sniffer.bind(("eth0", 0x800))
while True:
    select.select([sniffer], [], [])
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("0.0.0.0", 80))
    server.listen(8)
    while True:
        ready = select.select([server, sniffer], [], [], 1)[0]
        if not ready:
            break
        if sniffer in ready:
            sniffer.recv(2048)
        if server in ready:
            client = server.accept()[0]
            client.recv(2048)
            client.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nHello from ct1\\n")
            client.close()
    server.close()`;

export const serverWhenAsked: Cheat = {
  name: 'server-when-asked',
  what: 'a sniffer in ct1 starts a server at the first packet and ends it a second after the last: nobody listens before or after',
  script: `${right.links}
${right.egress}
${right.dns}
${right.publish.slice(right.publish.indexOf('for chain'))}
cat >/root/sleeper.py <<'PYTHON'
${sleeper}
PYTHON
ip netns exec ct1 setsid python3 /root/sleeper.py </dev/null >/dev/null 2>&1 &
until ip netns exec ct1 grep -q . /proc/net/packet; do :; done`,
  rest: '! ip netns exec ct1 ss -Hltn sport = 80 | grep -q .',
  naive: 'pass',
  caught: ['publish.server'],
  seen: /tcp 0\.0\.0\.0:80 began to be listened on \(in ct1\) while experiments were made/,
};
