"""Packet sockets, packet(7): one for all that passes at a place and, with a filter, one more for what matches it."""
MOST_HELD = 4000


class Tap:
    """One packet socket of the namespace that this thread is in."""

    def __init__(self, device, program):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
        self.sock.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
        if program:
            attach(self.sock, program)
        self.sock.bind((device, 3))

    def take(self):
        """(time, way, whole length, bytes) of each packet that is there. Raises OSError when its link is gone."""
        for _ in range(1000):
            try:
                data, extra, _, (_, _, kind, _, _) = self.sock.recvmsg(1 << 17, 64)
            except BlockingIOError:
                return
            stamp = next((struct.unpack("=qq", part[:16]) for level, _, part in extra if level == socket.SOL_SOCKET), (0, 0))
            yield "%d.%09d" % stamp, "out" if kind == 4 else "in", len(data), data[:P["snap"]]

    def drops(self):
        return struct.unpack("II", self.sock.getsockopt(263, 6, 8))[1]


class Place:
    """What passes is held until the filter's own socket must have said whether it matches."""

    def __init__(self, number, device, program):
        self.number = number
        self.all, self.some = Tap(device, None), Tap(device, program) if program else None
        self.held, self.matched = collections.deque(), collections.Counter()

    def socks(self):
        return [self.all.sock] + ([self.some.sock] if self.some else [])

    def take(self):
        for entry in self.all.take():
            if len(self.held) < MOST_HELD:
                self.held.append(entry)
        for _, *entry in self.some.take() if self.some else ():
            self.matched[tuple(entry)] += 1  # without its time: the kernel may stamp it for each socket anew

    def flush(self, before):
        """Says the packets from before that moment."""
        while self.held and float(self.held[0][0]) < before:
            stamp, way, length, data = self.held.popleft()
            key = (way, length, data)
            matches = self.some is None or self.matched[key] > 0
            self.matched[key] -= 1
            if self.matched[key] < 1:
                del self.matched[key]
            say([self.number, stamp, way, length, matches, base64.b64encode(data).decode()])
        if len(self.matched) > MOST_HELD:
            self.matched.clear()


def links(spaces):
    """The names of all links of a lab host by space."""
    return each(spaces, lambda name: [device for _, device in socket.if_nameindex()][:200])
