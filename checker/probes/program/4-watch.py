"""What changes on the lab host while the experiments run, told by the kernel: rtnetlink(7), nfnetlink, sock_diag(7).

A state that is the same before and after may have been another as long as somebody looked.
"""
ROUTE_GROUPS = 0x1 | 0x10 | 0x40 | 0x80 | 1 << 23  # links, IPv4 addresses, routes, rules, netconf
NFTABLES_GROUP = 1 << 6
LOOK_EVERY = 0.1


class Watch(threading.Thread):
    """Every change in the captured namespaces of a place, as words; and TCP, and low UDP, ports that begin to be listened on."""

    def __init__(self, place):
        super().__init__(daemon=True)
        self.place, self.socks, self.devices, self.ports, self.found = place, {}, {}, {}, {}
        self.stopper, self.wake = os.pipe()

    def open(self):
        for name in P["capture"]:
            try:
                self.place.enter(name)
                for protocol, groups in ((ROUTE, ROUTE_GROUPS), (NETFILTER, NFTABLES_GROUP)):
                    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
                    sock.bind((0, groups))
                    self.socks[sock] = (name, protocol)
                self.devices[name] = dict(socket.if_nameindex())
                self.ports[name] = waiting_on()
            except OSError:
                pass
            finally:
                enter(HERE)

    def run(self):
        while True:
            ready = select.select([*self.socks, self.stopper], [], [], LOOK_EVERY)[0]
            for sock in ready:
                if sock != self.stopper:
                    self.drain(sock, *self.socks[sock])
            if not ready or self.stopper in ready:
                self.look()
            if self.stopper in ready:
                return

    def drain(self, sock, name, protocol):
        try:
            data, at = sock.recv(1 << 17), 0
        except OSError:
            self.note(name, "more changed than can be told")  # ENOBUFS
            return
        while at + 16 <= len(data):
            length, kind = struct.unpack_from("=IH", data, at)
            body = data[at + 16:at + length]
            at += max(16, (length + 3) & ~3)
            what = self.route(name, kind, body) if protocol == ROUTE else rules_changed(kind, body)
            if what:
                self.note(name, what)

    def note(self, name, what):
        if len(self.found) < 50:
            self.found.setdefault((name, what[:200]))

    def route(self, name, kind, body):
        """One message of rtnetlink as words; None for what moves by itself: carriers, cloned routes."""
        done = "went" if kind % 2 else "came"
        if kind in (16, 17):
            index, flags, change = struct.unpack_from("=iII", body, 4)
            device = text(attributes(body[16:]).get(3, b"?").rstrip(b"\0"))
            self.devices[name][index] = device
            if body[0] == 7:
                return "link %s left its bridge" % device if kind == 17 else None
            if kind == 17 or change == 0xFFFFFFFF:
                return "link %s %s" % (device, done)
            return "link %s was switched %s" % (device, "on" if flags & 1 else "off") if change & 1 else None
        if kind in (20, 21):
            return "address %s %s" % (address_of(attributes(body[8:]).get(2)), done)
        if kind in (24, 25) and not struct.unpack_from("=I", body, 8)[0] & 0x200:
            return "route %s/%d %s" % (address_of(attributes(body[12:]).get(1, b"\0" * 4)), body[1], done)
        if kind in (32, 33):
            return "a routing rule %s" % done
        return self.setting(name, attributes(body[4:])) if kind == 80 else None

    def setting(self, name, has):
        """NETCONFA_IFINDEX and the value that follows: which of forwarding, rp_filter, proxy_arp was written."""
        index = struct.unpack("=i", has.get(1, b"\0" * 4))[0]
        device = {-1: "all", -2: "default"}.get(index) or self.devices[name].get(index, "?")
        for kind, word in ((2, "forwarding"), (3, "rp_filter"), (5, "proxy_arp")):
            if kind in has:
                return "%s of %s became %d" % (word, device, struct.unpack("=i", has[kind])[0])
        return None

    def look(self):
        for name, before in self.ports.items():
            try:
                self.place.enter(name)
                for protocol, address, port in waiting_on() - before:
                    self.note(name, "%s %s:%d began to be listened on" % (protocol, address, port))
            except OSError:
                pass
            finally:
                enter(HERE)

    def finish(self):
        os.write(self.wake, b".")
        self.join(2)
        return [{"in": name, "what": what} for name, what in self.found if not self.follows(name, what)]

    def follows(self, name, what):
        """Writing ip_forward writes every link's setting too."""
        every = re.sub(r"^forwarding of \S+ ", "forwarding of all ", what)
        return every != what and (name, every) in self.found


def waiting_on():
    """Without a resolver's own questions, from high UDP ports, and link-local IPv6, which a server takes when it comes."""
    found = {(entry["protocol"], entry["address"], entry["port"]) for entry in listeners()}
    return {entry for entry in found if (entry[0] == "tcp" or entry[2] < 1024) and not entry[1].startswith("[fe80:")}


def address_of(data):
    return socket.inet_ntoa(data) if data and len(data) == 4 else "?"


def rules_changed(kind, body):
    """NFT_MSG_NEWGEN closes each transaction and names the program that made it."""
    if kind != 0xA0F:
        return None
    program = text(attributes(body[4:]).get(3, b"?").rstrip(b"\0"))
    return "nftables rules were changed by %s" % program
