"""nftables is told to trace that packet, by a table that the kernel removes with the socket that made it.

Nothing of the learner's is written to. nf_tables_api.c: NFT_TABLE_F_OWNER, nft_rcv_nl_event; nf_tables_trace.c.
"""
NF_INET, NF_BRIDGE = 1, 7
PRE_ROUTING, LOCAL_OUT = 0, 3
NESTED, OWNER = 0x8000, 2
TABLE, CHAIN, RULE, TRACE = 0, 3, 6, 17
NAME = b"handwired-trace-%d\0" % os.getpid()
TRACE_GROUP = 9
VERDICTS = {0: "drop", 1: "accept", 2: "stolen", 3: "queue", 0xFFFFFFFF: "continue", 0xFFFFFFFE: "break",
            0xFFFFFFFD: "jump", 0xFFFFFFFC: "goto", 0xFFFFFFFB: "return"}


def nested(kind, *parts):
    return attribute(kind | NESTED, b"".join(parts))


def expression(name, *parts):
    return nested(1, attribute(1, name.encode() + b"\0"), nested(2, *parts))


def equal(value):
    """Register 1 is this: nft_cmp.c."""
    return expression("cmp", attribute(1, number(1)), attribute(2, number(0)), nested(3, attribute(1, value)))


def rule_of(protocol, at, mark):
    """`meta l4proto PROTOCOL @th,AT,BITS MARK meta nftrace set 1`"""
    return [expression("meta", attribute(2, number(16)), attribute(1, number(1))), equal(bytes([protocol])),
            expression("payload", attribute(1, number(1)), attribute(2, number(2)), attribute(3, number(at)),
                       attribute(4, number(len(mark)))), equal(mark),
            expression("immediate", attribute(1, number(1)), nested(2, attribute(1, b"\1"))),
            expression("meta", attribute(2, number(12)), attribute(3, number(1)))]


class Tracer:
    """Traces our packet in the namespace that this thread is in, until it is closed."""

    def __init__(self, bridges):
        self.link = Netlink(NETFILTER)
        self.make(NF_INET)
        if bridges:
            try:
                self.make(NF_BRIDGE)
            except OSError:
                pass  # a kernel without them has no rules for bridges either
        self.link.sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 20)  # SO_RCVBUFFORCE
        self.link.sock.setsockopt(270, 1, TRACE_GROUP)  # NETLINK_ADD_MEMBERSHIP
        self.link.sock.setblocking(False)
        self.found, self.run, self.over = [], -1, False

    def make(self, family):
        told = [(TABLE, attribute(1, NAME), attribute(2, number(OWNER)))]
        for chain, hook in ((b"in\0", PRE_ROUTING), (b"out\0", LOCAL_OUT)):
            place = nested(4, attribute(1, number(hook)), attribute(2, number(-1 << 31)))
            told.append((CHAIN, attribute(1, NAME), attribute(3, chain), place, attribute(7, b"filter\0")))
            told += [(RULE, attribute(1, NAME), attribute(2, chain), nested(4, *rule_of(*mark))) for mark in MARKS]
        border = struct.pack("=BBH", 0, 0, socket.htons(10))
        batch = [(16, 1, border), *((10 << 8 | kind, 0xC01, struct.pack("=BBH", family, 0, 0) + b"".join(parts))
                                    for kind, *parts in told), (17, 1, border)]
        last, text = len(batch) - 2, b""
        for serial, (kind, flags, body) in enumerate(batch):
            flags |= 4 if serial == last else 0  # NLM_F_ACK: an error is told of any of them
            text += struct.pack("=IHHII", len(body) + 16, kind, flags, serial, 0) + body
        self.link.sock.send(text)
        while True:
            for kind, body, serial in messages(self.link.sock.recv(1 << 16)):
                if kind == 2:
                    code = -struct.unpack_from("=i", body)[0]
                    if code:
                        raise OSError(code, os.strerror(code))
                    if serial == last:
                        return

    def take(self):
        try:
            while True:
                for kind, body, _ in messages(self.link.sock.recv(1 << 17)):
                    if kind == (10 << 8 | TRACE) and len(self.found) < 600:
                        self.note(attributes(body[4:]))
        except BlockingIOError:
            pass
        except OSError:
            self.over = True  # ENOBUFS

    def note(self, has):
        """One message. A base chain's first one has the packet's headers: they tell its runs apart."""
        if 8 in has:
            self.run += 1
        entry = {"run": self.run, "table": words(has.get(1)), "chain": words(has.get(2)), "handle": None, "jump": None,
                 "type": {1: "policy", 2: "return", 3: "rule"}.get(whole(has.get(4)), "other"),
                 "bridge": whole(has.get(15)) == NF_BRIDGE, "iif": whole(has.get(10)), "oif": whole(has.get(12)),
                 "verdict": VERDICTS.get(whole(has.get(16)), None), "packet": told(has.get(8, b""), has.get(9, b""))}
        if 3 in has:
            entry["handle"] = int.from_bytes(has[3], "big")
        if 5 in has:
            verdict = attributes(has[5])
            entry["verdict"] = VERDICTS.get(whole(verdict.get(1)), None)
            entry["jump"] = words(verdict.get(2))
        if (has.get(1) or b"") != NAME:
            self.found.append(entry)

    def close(self):
        self.link.close()


def messages(data):
    at = 0
    while at + 16 <= len(data):
        length, kind, _, serial, _ = struct.unpack_from("=IHHII", data, at)
        yield kind, data[at + 16:at + length], serial
        at += max(16, (length + 3) & ~3)


def words(data):
    return text(data[:300].rstrip(b"\0")) if data else None


def whole(data):
    return int.from_bytes(data, "big") if data and len(data) == 4 else None
