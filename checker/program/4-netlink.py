"""The kernel asked directly: netlink(7), in the namespace that this thread is in when the socket is made."""
ROUTE, SOCK_DIAG, NETFILTER = 0, 4, 12


def attributes(data):
    """{type: bytes} of a run of attributes; the first of each type."""
    found, at = {}, 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            break
        found.setdefault(kind & 0x3FFF, data[at + 4:at + length])
        at += (length + 3) & ~3
    return found


def attribute(kind, data):
    return struct.pack("=HH", len(data) + 4, kind) + data + b"\0" * (-len(data) % 4)


MOST_ANSWER = 16 << 20


class Netlink:
    """One socket; the answers of a request are the payloads behind each message's header."""

    def __init__(self, protocol):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        self.sock.settimeout(5)
        self.serial = 0

    def ask(self, kind, body, flags=0):
        self.serial += 1
        head = struct.pack("=IHHII", len(body) + 16, kind, 1 | flags, self.serial, 0)
        self.sock.send(head + body)
        found, size = [], 0
        while True:
            data, at = self.sock.recv(1 << 17), 0
            size += len(data)
            if size > MOST_ANSWER:
                raise OSError(errno.EFBIG, "the kernel has more than is read")
            while at + 16 <= len(data):
                length, kind, flags_now, serial, _ = struct.unpack_from("=IHHII", data, at)
                payload = data[at + 16:at + length]
                at += (length + 3) & ~3
                if serial != self.serial:
                    continue
                if kind == 2:
                    code = -struct.unpack_from("=i", payload)[0]
                    if code:
                        raise OSError(code, os.strerror(code))
                    return found
                if kind == 3:
                    return found
                found.append(payload)
                if not flags_now & 2:  # NLM_F_MULTI
                    return found

    def dump(self, kind, body):
        return self.ask(kind, body, 0x300)

    def close(self):
        self.sock.close()


def listeners():
    """TCP sockets in LISTEN and UDP sockets without a peer: sock_diag(7), as `ss -ltu` has them."""
    link, found = Netlink(SOCK_DIAG), []
    names = {index: name for index, name in socket.if_nameindex()}
    for protocol, number, states in (("tcp", socket.IPPROTO_TCP, 1 << 10), ("udp", socket.IPPROTO_UDP, 1 << 7)):
        for family in (socket.AF_INET, socket.AF_INET6):
            request = struct.pack("=BBBBI48x", family, number, 0, 0, states)
            for answer in link.dump(20, request):
                port, device, inode = struct.unpack_from("!H", answer, 4)[0], *struct.unpack_from("=I24xI", answer, 40)
                size = 4 if family == socket.AF_INET else 16
                address, rest = socket.inet_ntop(family, answer[8:8 + size]), attributes(answer[72:])
                if family == socket.AF_INET6:
                    both = address == "::" and rest.get(11, b"\1")[:1] == b"\0"  # INET_DIAG_SKV6ONLY
                    address = "*" if both else "[%s]" % address
                if device:
                    address += "%%%s" % names.get(device, device)
                found.append({"protocol": protocol, "address": address, "port": port, "inode": inode})
    link.close()
    return found[:2000]


def numbers(named):
    """The nsids of this namespace, after RTM_GETNSID: [{"nsid", "name"}]; `named`: file descriptors by name."""
    link, found = Netlink(ROUTE), {}
    for answer in link.dump(90, b"\0" * 4):
        nsid = struct.unpack("=i", attributes(answer[4:]).get(1, b"\xff" * 4))[0]
        if nsid >= 0:
            found[nsid] = None
    for name, fd in named.items():
        for answer in link.ask(90, b"\0" * 4 + attribute(3, struct.pack("=I", fd))):  # NETNSA_FD
            nsid = struct.unpack("=i", attributes(answer[4:]).get(1, b"\xff" * 4))[0]
            if nsid >= 0:
                found[nsid] = name
    link.close()
    return [{"nsid": nsid, "name": name} for nsid, name in sorted(found.items())]
