"""The kernel told what to make: rtnetlink(7) and nfnetlink. Numbers are those of the kernel's include/uapi/linux."""
REQUEST, ACK, EXCL, CREATE, APPEND, DUMP = 1, 4, 0x200, 0x400, 0x800, 0x300
NESTED = 0x8000


class Trouble(Exception):
    """Why there can be no exact copy."""


def attrs(data):
    """[(type, bytes)] of a run of attributes, in order."""
    found, at = [], 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            break
        found.append((kind & 0x3FFF, data[at + 4:at + length]))
        at += (length + 3) & ~3
    return found


def pack(*pairs):
    """Attributes from (type, value): bytes as they are, a number as u32, a list as nested attributes."""
    made = []
    for kind, value in pairs:
        if isinstance(value, list):
            kind, value = kind | NESTED, pack(*value)
        elif isinstance(value, int):
            value = struct.pack("=I", value)
        made.append(struct.pack("=HH", len(value) + 4, kind) + value + b"\0" * (-len(value) % 4))
    return b"".join(made)


def u32(data):
    return struct.unpack("=I", data[:4])[0] if data and len(data) >= 4 else 0


def word(data):
    return data.split(b"\0")[0].decode("utf-8", "replace")


MOST_BYTES = 8 << 20  # of one dump


class Talk:
    """A socket in the namespace that this thread is in now; it stays there, whoever uses it."""

    def __init__(self, protocol=0):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
        self.sock.setsockopt(socket.SOL_SOCKET, 32, 8 << 20)  # SO_SNDBUFFORCE
        for option in (10, 11, 12):  # SOL_NETLINK: CAP_ACK, EXT_ACK, GET_STRICT_CHK
            self.sock.setsockopt(270, option, 1)
        self.sock.settimeout(5)
        self.serial = 0

    def message(self, kind, body, flags):
        self.serial += 1
        return struct.pack("=IHHII", len(body) + 16, kind, REQUEST | flags, self.serial, 0) + body

    def answers(self, last):
        """(type, flags, payload) up to the end of what message `last` yields. Raises Trouble on the first error."""
        while True:
            data, at = self.sock.recv(1 << 18), 0
            while at + 16 <= len(data):
                length, kind, flags, serial, _ = struct.unpack_from("=IHHII", data, at)
                payload = data[at + 16:at + length]
                at += (length + 3) & ~3
                if kind == 2 or kind == 3 and len(payload) >= 4:
                    code = -struct.unpack_from("=i", payload)[0]
                    if code > 0:
                        said = word(dict(attrs(payload[20:])).get(1, b""))
                        raise Refused(code, "%s%s" % (os.strerror(code), ": " + said if said else ""))
                if kind in (2, 3):
                    if serial == last:
                        return
                    continue
                yield kind, flags, payload

    def dump(self, kind, body):
        """All answers; a dump that another's change cut through is made again."""
        for _ in range(5):
            message = self.message(kind, body, DUMP)
            self.sock.send(message)
            found, size = [], 0
            for answer in self.answers(self.serial):
                found.append(answer)
                size += len(answer[2])
                if size > MOST_BYTES:
                    raise Trouble("the lab host's state is more than is copied")
            if not any(flags & 0x10 for _, flags, _ in found):  # NLM_F_DUMP_INTR
                return [(kind, payload) for kind, _, payload in found]
        raise Trouble("the lab host is being changed")

    def tell(self, kind, body, flags=0):
        self.sock.send(self.message(kind, body, flags | ACK))
        return [payload for _, _, payload in self.answers(self.serial)]


class Refused(Trouble):
    def __init__(self, code, said):
        super().__init__(said)
        self.code = code


class Space:
    """A network namespace, original or copy, with sockets in it."""

    def __init__(self, name, fd):
        self.name, self.fd = name, fd
        self.inode = os.fstat(fd).st_ino
        enter(fd)
        self.route, self.nft = Talk(0), Talk(12)


def fresh(name):
    """A new namespace without a name: it goes with our file descriptor. This thread stays in it."""
    if libc.unshare(CLONE_NEWNET):
        fail("unshare")
    return Space(name, os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
