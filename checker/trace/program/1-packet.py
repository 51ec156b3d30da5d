"""Sends one real packet from a lab host's namespace and says where it was seen, and what every rule made of it.

P has {"in": "root"|"world"|a name in /run/netns, "from": source address or null, "to": address, "kind": icmp|tcp|udp,
"port": int, "label": 20 letters, "site": name, "seconds": float, "world": see find_world} as well.

The packet is known by bytes that no translation changes: a TCP SYN by its sequence number, its answer by the number after
it; an echo by 16 bytes of its body; a DNS question by its first label. An ICMP error carries them again, behind the header
of the packet that it is about.
"""
ICMP, TCP, UDP = 1, 6, 17
LABEL = P["label"].encode()
SEQUENCE = int.from_bytes(os.urandom(4), "big") | 1
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21


def number(value):
    return struct.pack("!I", value & 0xFFFFFFFF)


# (protocol, offset behind the IP header, bytes): RFC 792, 9293, 768 with 1035.
MARKS = {
    "tcp": [(TCP, 4, number(SEQUENCE)), (TCP, 8, number(SEQUENCE + 1)), (ICMP, 32, number(SEQUENCE))],
    "icmp": [(ICMP, 8, LABEL[:16]), (ICMP, 36, LABEL[:16])],
    "udp": [(UDP, 21, LABEL[:16]), (ICMP, 49, LABEL[:16])],
}[P["kind"]]


def is_ours(data):
    """Is it our packet, or an answer to it? `data` begins with an IPv4 header."""
    if len(data) < 28 or data[0] >> 4 != 4:
        return False
    start = (data[0] & 15) * 4
    return any(data[9] == protocol and data[start + at:start + at + len(mark)] == mark for protocol, at, mark in MARKS)


def told(network, transport):
    """The addresses of a packet and what it is; None for a part of the conversation that is not looked at."""
    if len(network) < 20 or len(transport) < 8:
        return None
    protocol, ports, what = network[9], [0, 0], None
    if protocol == ICMP:
        what = {0: "echo-reply", 3: "unreachable", 5: "redirect", 8: "echo", 11: "time-exceeded"}.get(transport[0])
    elif protocol in (TCP, UDP):
        ports = list(struct.unpack_from("!HH", transport))
        if protocol == UDP:
            what = "answer" if ports[0] == P["port"] else "query"
        elif len(transport) > 13:
            flags = transport[13]
            what = "rst" if flags & 4 else {2: "syn", 18: "syn-ack"}.get(flags & 18)
    return what and {"what": what, "source": socket.inet_ntoa(network[12:16]), "sourcePort": ports[0],
                     "target": socket.inet_ntoa(network[16:20]), "targetPort": ports[1]}


class Sender:
    """A socket of the namespace that this thread is in when it is made."""

    def __init__(self):
        kind = {"icmp": (socket.SOCK_RAW, ICMP), "tcp": (socket.SOCK_STREAM, 0), "udp": (socket.SOCK_DGRAM, 0)}[P["kind"]]
        self.sock = socket.socket(socket.AF_INET, *kind)
        self.sock.setblocking(False)
        if P["from"]:
            self.sock.bind((P["from"], 0))

    def send(self):
        if P["kind"] == "tcp":
            # tcp_v4_connect in the kernel's net/ipv4/tcp_ipv4.c draws a number only where none was set.
            for option, value in ((TCP_REPAIR, 1), (TCP_REPAIR_QUEUE, 2), (TCP_QUEUE_SEQ, SEQUENCE), (TCP_REPAIR, 0)):
                self.sock.setsockopt(TCP, option, struct.pack("=I", value))
            code = self.sock.connect_ex((P["to"], P["port"]))
            if code not in (0, errno.EINPROGRESS):
                raise OSError(code, os.strerror(code))
            return
        self.sock.connect((P["to"], P["port"] if P["kind"] == "udp" else 0))
        self.sock.send(echo() if P["kind"] == "icmp" else question())

    def come(self):
        """What came of it: None, nothing yet; {"ok": true} an answer; {"ok": false, "error"}."""
        try:
            if P["kind"] == "tcp":
                if not select.select([], [self.sock], [], 0)[1]:
                    return None
                code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                return {"ok": not code, "error": os.strerror(code) if code else None}
            while True:
                data = self.sock.recv(2048)
                if P["kind"] == "udp" or data[(data[0] & 15) * 4] == 0 and is_ours(data):
                    return {"ok": True, "error": None}
        except BlockingIOError:
            return None
        except OSError as error:
            return {"ok": False, "error": os.strerror(error.errno)}


def echo():
    body = os.urandom(2) + b"\0\1" + LABEL
    total = sum(struct.unpack("!%dH" % ((len(body) + 4) // 2), b"\x08\0\0\0" + body))
    total = (total >> 16) + (total & 0xFFFF)
    return struct.pack("!BBH", 8, 0, ~(total + (total >> 16)) & 0xFFFF) + body


def question():
    labels = [LABEL] + [part.encode() for part in P["site"].split(".")]
    name = b"".join(bytes([len(label)]) + label for label in labels)
    return os.urandom(2) + b"\1\0\0\1\0\0\0\0\0\0" + name + b"\0\0\1\0\1"
