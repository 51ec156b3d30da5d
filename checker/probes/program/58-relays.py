"""Programs stay in the original: what they listen on is taken in the copy and made again there, to the same address and port."""
LISTENERS, ON_THE_WAY = 64, 1 << 16
# Relays of all copies take turns at the original: many servers have room for few clients, some for one.
TURNS, TURN_SECONDS, DIAL_SECONDS, DIALS = 2, 0.15, 0.1, 12


def listeners_of(place):
    """(protocol, address, port, device) of each TCP socket in LISTEN and UDP socket without a peer: sock_diag(7)."""
    enter(place.fd)
    talk, found = Talk(4), set()
    for protocol, number, states in (("tcp", socket.IPPROTO_TCP, 1 << 10), ("udp", socket.IPPROTO_UDP, 1 << 7)):
        for family in (socket.AF_INET, socket.AF_INET6):
            for _, answer in talk.dump(20, struct.pack("=BBBBI48x", family, number, 0, 0, states)):
                port, device = struct.unpack_from("!H", answer, 4)[0], u32(answer[40:44])
                only = dict(attrs(answer[72:])).get(11, b"\1")[0]  # INET_DIAG_SKV6ONLY
                if family == socket.AF_INET:
                    found.add((protocol, socket.inet_ntoa(answer[8:12]), port, device))
                elif not only and answer[8:24] == b"\0" * 16:
                    found.add((protocol, "0.0.0.0", port, device))
    talk.sock.close()
    if len(found) > LISTENERS:
        raise Trouble("more than %d sockets listen in %s" % (LISTENERS, place.name))
    return sorted(found)


class Turns:
    """As many bytes in a pipe that all copies share as may go at once. Whoever waited long goes without one."""

    def __init__(self):
        self.out, self.back = os.pipe()
        os.set_blocking(self.out, False)
        self.give(TURNS)

    def give(self, count=1):
        os.write(self.back, b"." * count)

    def take(self):
        try:
            return bool(os.read(self.out, 1))
        except BlockingIOError:
            return False


class Relay:
    """A connection taken in the copy and made again in the original, to the same address and port."""

    def __init__(self, servers, place, original, client, peer):
        self.servers, self.place, self.original, self.client = servers, place, original, client
        self.target, self.peer, self.tries, self.first = client.getsockname(), peer, 0, b""
        self.pending, self.mine, self.since = {}, False, time.monotonic()
        self.wait()

    def wait(self):
        self.mine = self.servers.turns.take()
        if self.mine or time.monotonic() > self.since + TURN_SECONDS:
            self.dial()
        else:
            self.servers.later.append((time.monotonic() + 0.003, self.wait))

    def end(self, *socks):
        if self.mine:
            self.servers.turns.give()
            self.mine = False
        self.servers.close(*socks)

    def dial(self):
        self.tries += 1
        enter(self.original.fd)
        self.server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.server.setblocking(False)
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for _ in range(200):
            self.servers.port = 61000 + (self.servers.port - 60999) % 4500
            try:
                self.server.bind(("", self.servers.port))
                break
            except OSError:
                continue
        self.server.connect_ex(self.target)
        self.servers.selector.register(self.server, 2, self.connected)
        self.servers.later.append((time.monotonic() + DIAL_SECONDS, lambda number=self.tries: self.again(number)))

    def again(self, number):
        """Where nobody more may wait the kernel drops the SYN and sends the next a second later: a new one is sooner."""
        if number == self.tries and not self.pending and self.tries < DIALS:
            self.servers.selector.unregister(self.server)
            self.server.close()
            self.dial()

    def connected(self, _):
        code = self.server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        selector = self.servers.selector
        selector.unregister(self.server)
        if code:
            # A server that takes one client at a time refuses between two.
            self.server.close()
            if self.tries < DIALS:
                self.tries += 1  # `again` is not for this one any more
                self.servers.later.append((time.monotonic() + 0.05, self.dial))
            else:
                self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.end(self.client)
            return
        self.pending = {self.client: b"", self.server: b""}
        self.ended = set()
        for here, there in ((self.client, self.server), (self.server, self.client)):
            selector.register(here, 1, lambda what, here=here, there=there: self.pump(here, there, what))

    def pump(self, here, there, what):
        try:
            if what & 1:
                data = here.recv(16384)
                self.note(here, data)
                self.pending[there] += data
                if not data:
                    self.ended.add(here)
            for sock in (here, there):
                if self.pending[sock]:
                    self.pending[sock] = self.pending[sock][sock.send(self.pending[sock]):]
                other = there if sock is here else here
                if other in self.ended and not self.pending[sock]:
                    sock.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:
            self.ended = {here, there}
            self.pending = {here: b"", there: b""}
        if len(self.ended) == 2 and not any(self.pending.values()):
            self.end(self.client, self.server)
            return
        for sock, other in ((here, there), (there, here)):
            wanted = (1 if sock not in self.ended and len(self.pending[other]) < ON_THE_WAY else 0) | \
                (2 if self.pending[sock] else 0)
            self.watch(sock, other, wanted)

    def watch(self, sock, other, wanted):
        selector = self.servers.selector
        known = selector.get_map().get(sock)
        if not wanted:
            if known:
                selector.unregister(sock)
        elif not known:
            selector.register(sock, wanted, lambda what: self.pump(sock, other, what))
        elif known.events != wanted:
            selector.modify(sock, wanted, known.data)

    def note(self, here, data):
        if here is self.client and len(self.first) < 2048:
            self.first += data
            note_relayed(self.servers, self.place, self.first, self.peer, self.target)


def note_relayed(servers, place, data, peer, target):
    token = TOKEN.search(data)
    probe = servers.of_token.get(token.group().lower()) if token else None
    if probe:
        servers.relayed[probe] = {
            "probe": probe, "in": place.name, "device": "relay", "way": "in", "what": "request", "source": peer[0],
            "sourcePort": peer[1], "target": target[0], "targetPort": target[1], "count": 1}


class Datagrams:
    """Datagrams to a socket of the copy, sent on in the original from a socket for each sender, and the answers back."""

    def __init__(self, servers, place, original, sock):
        self.servers, self.place, self.original, self.sock, self.of = servers, place, original, sock, {}
        servers.selector.register(sock, 1, self.take)

    def take(self, _):
        data, extra, _, peer = self.sock.recvmsg(4096, 256)
        info = next((value for level, kind, value in extra if (level, kind) == (socket.IPPROTO_IP, 8)), None)
        address, port = socket.inet_ntoa(info[8:12]), self.sock.getsockname()[1]
        note_relayed(self.servers, self.place, data, peer, (address, port))
        if (peer, address) not in self.of:
            if len(self.of) >= 64:
                return
            enter(self.original.fd)
            there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            there.setblocking(False)
            there.connect((address, port))
            self.of[peer, address] = there
            self.servers.selector.register(there, 1, lambda _: self.back(there, peer, address))
        self.of[peer, address].send(data)

    def back(self, there, peer, address):
        data = there.recv(4096)
        info = struct.pack("=i4s4s", 0, socket.inet_aton(address), b"\0" * 4)
        self.sock.sendmsg([data], [(socket.IPPROTO_IP, 8, info)], 0, peer)


def relay_all(servers, found, place, original):
    """Listens in the copy wherever something listens in the original; what could not be is returned, in words."""
    missing = []
    for protocol, address, port, device in found:
        kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
        try:
            sock = servers.bound(place, kind, address, port, device)
        except OSError as error:
            missing.append("%s: nothing can listen on %s %s:%d (%s)" % (place.name, protocol, address, port, error.strerror))
            continue
        if protocol == "tcp":
            servers.accepting(sock, lambda client, peer: Relay(servers, place, original, client, peer))
        else:
            Datagrams(servers, place, original, sock)
    return missing
