"""What passes in the namespaces while the experiments run."""


class Capture(threading.Thread):
    """All packets of the captured namespaces; kept are those with a token or with a probe's port, counted by sight."""

    def __init__(self, place):
        super().__init__(daemon=True)
        self.place = place
        self.socks, self.seen, self.over, self.stop = {}, {}, False, False
        self.stopper, self.wake = os.pipe()

    def open(self):
        for name in P["capture"]:
            try:
                self.place.enter(name)
                sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, socket.htons(3))
                sock.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE
                self.socks[sock] = name
            except OSError:
                pass
            finally:
                enter(HERE)

    def run(self):
        while True:
            found = select.select([*self.socks, self.stopper], [], [], 0.5)[0]
            for sock in found:
                if sock != self.stopper:
                    self.drain(sock)
            if found == [self.stopper]:
                return

    def drain(self, sock):
        for _ in range(500):
            try:
                data, (device, protocol, kind, _, mac) = sock.recvfrom(2048)
            except OSError:
                return
            sight = arp(data) if protocol == 0x806 else packet(self.place, data) if protocol == 0x800 else None
            if sight is None:
                continue
            key = (sight.pop("probe"), self.socks[sock], device, "out" if kind == 4 else "in", *sight.values())
            if key in self.seen:
                self.seen[key] += 1
            elif len(self.seen) < 3000:
                self.seen[key] = 1
            else:
                self.over = True

    def finish(self):
        os.write(self.wake, b".")
        self.join(2)
        names = ("probe", "in", "device", "way", "what", "source", "sourcePort", "target", "targetPort")
        return [dict(zip(names, key), count=count) for key, count in self.seen.items()]

    def drops(self):
        """Packets that the kernel could not keep for us: PACKET_STATISTICS."""
        return {name: struct.unpack("II", sock.getsockopt(263, 6, 8))[1] for sock, name in self.socks.items()}


def arp(data):
    if len(data) < 28:
        return None
    what = {1: "who-has", 2: "is-at"}.get(data[7])
    return what and {"probe": None, "what": what, "source": socket.inet_ntoa(data[14:18]), "sourcePort": 0,
                     "target": socket.inet_ntoa(data[24:28]), "targetPort": 0}


def hello_of(payload):
    """The random of a TLS ClientHello, RFC 8446 4.1.2: as good as a token, whatever becomes of the ports on the way."""
    return payload[11:43] if payload[:2] == b"\x16\x03" and payload[5:6] == b"\1" else None


def packet(place, data):
    """The token's or the port's probe and the addresses of an IPv4 packet; None for anybody else's."""
    if len(data) < 28 or data[0] >> 4 != 4:
        return None
    start, protocol = (data[0] & 15) * 4, data[9]
    body = data[start:]
    token = TOKEN.search(body)
    probe = place.of_token.get(token.group().lower()) if token else None
    source, target = socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])
    ports = (0, 0)
    if protocol in (6, 17) and len(body) >= 8:
        ports = struct.unpack("!HH", body[:4])
        if protocol == 6 and probe is None:
            hello = hello_of(body[(body[12] >> 4) * 4:]) if len(body) > 12 else None
            probe = place.of_hello.get(hello) or place.of_port.get(ports[0]) or place.of_port.get(ports[1])
            token = token or (hello if hello in place.of_hello else None)
    if probe is None:
        return None
    if protocol == 6 and len(body) >= 20:
        flags, payload = body[13], len(data) > start + (body[12] >> 4) * 4
        what = "request" if token else "rst" if flags & 4 else "syn-ack" if flags & 18 == 18 else \
            "syn" if flags & 2 else "reply" if payload else None
    elif protocol == 17:
        what = "query" if ports[1] == 53 else "answer" if ports[0] == 53 else "datagram"
    else:
        what = {0: "echo-reply", 3: "unreachable", 8: "echo"}.get(body[0]) if protocol == 1 else None
        ports = (0, body[1] if what == "unreachable" else 0)
    return what and {"probe": probe, "what": what, "source": source, "sourcePort": ports[0], "target": target,
                     "targetPort": ports[1]}
