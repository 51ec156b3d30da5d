"""What answers in a copy: one thread for the world of our own and for the relays. Bounded, and it ends with this process."""
CONNECTIONS = 300


class Servers(threading.Thread):
    def __init__(self, turns, of_token):
        super().__init__(daemon=True)
        self.turns, self.of_token = turns, of_token
        self.selector = selectors.DefaultSelector()
        self.open, self.later, self.relayed = 0, [], {}
        self.port = 61000 + os.urandom(1)[0] * 16  # not among those that the kernel draws: a capture knows probes by port

    def run(self):
        while True:
            for key, what in self.selector.select(0.003 if self.later else 1):
                self.attempt(key.data, what)
            self.work_due(time.monotonic())

    def work_due(self, now):
        """Does what was put off to `now` or before; what that puts off again waits for its own time."""
        due, self.later = [entry for entry in self.later if entry[0] <= now], [entry for entry in self.later if entry[0] > now]
        for _, work in due:
            self.attempt(work)

    def attempt(self, work, *args):
        """One connection's trouble is its own: whatever comes, the others are served."""
        try:
            work(*args)
        except Exception:
            pass

    def bound(self, place, kind, address, port, device=0):
        enter(place.fd)
        sock = socket.socket(socket.AF_INET, kind)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND
        if kind == socket.SOCK_DGRAM:
            sock.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO
        if device:
            sock.setsockopt(socket.SOL_SOCKET, 62, device)  # SO_BINDTOIFINDEX
        sock.bind((address, port))
        if kind == socket.SOCK_STREAM:
            sock.listen(128)
        return sock

    def accepting(self, sock, serve):
        def accept(_):
            client, peer = sock.accept()
            client.setblocking(False)
            if self.open >= CONNECTIONS:
                client.close()
                return
            self.open += 1
            serve(client, peer)
        self.selector.register(sock, 1, accept)

    def close(self, *socks):
        for sock in socks:
            try:
                self.selector.unregister(sock)
            except (KeyError, ValueError):
                pass
            sock.close()
        self.open -= 1


class Answering:
    """A connection whose request is read to its end and answered: the world's site and its resolvers over TCP."""

    def __init__(self, servers, client, reply):
        self.servers, self.client, self.reply, self.got = servers, client, reply, b""
        servers.selector.register(client, 1, self.read)

    def read(self, _):
        try:
            data = self.client.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.got += data
        answer = self.reply(self.got)
        if answer:
            self.client.send(answer)
        if answer or not data or len(self.got) > 16384:
            self.servers.close(self.client)
