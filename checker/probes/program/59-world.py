"""A world of our own beyond the copy's uplink: the addresses and answers of cloud-init/files, seen by nobody but us."""


def world_make(place, numbers, far):
    """Links up, addresses, no way to what is unknown: world-start. `far`: the uplink's other end."""
    for path, value in (("ipv4/icmp_ratelimit", "0"), ("ipv4/conf/all/rp_filter", "0"), ("ipv4/conf/default/rp_filter", "0"),
                        ("ipv4/conf/%s/rp_filter" % far, "0")):
        try:
            enter(place.fd)
            with open("/proc/sys/net/" + path, "w") as file:
                file.write(value)
        except OSError:
            pass
    index = {link.name: link.index for link in links_of(place).values()}
    host = [numbers["site"]["address"], numbers["outside"], *numbers["resolvers"]]
    near = [(numbers["uplink"]["gateway"], numbers["uplink"]["prefix"]), (numbers["lanPeer"], numbers["uplink"]["prefix"])]
    for name, told in (("lo", [(address, 32) for address in host]), (far, near)):
        if name not in index:
            continue
        for address, prefix in told:
            packed = socket.inet_aton(address)
            place.route.tell(20, struct.pack("=BBBBI", INET, prefix, 0, 0, index[name]) + pack((1, packed), (2, packed)), CREATE)
        place.route.tell(16, header(index[name], UP, UP))
    place.route.tell(24, struct.pack("=BBBBBBBBI", INET, 0, 0, 0, 254, 4, 0, 7, 0), CREATE)  # unreachable default
    nft_make(refusing(far), place)


def expr(name, *data):
    return (1, [(1, name.encode() + b"\0"), (2, [(key, struct.pack("!I", value) if isinstance(value, int) else value)
                                                 for key, value in data])])


def refusing(far):
    """The rules of world-start: what is for nobody is refused at once."""
    table, chain = (1, b"world\0"), b"unknown\0"
    came = [expr("meta", (2, 6), (1, 1)),
            expr("cmp", (1, 1), (2, 0), (3, [(1, far.encode().ljust(16, b"\0"))]))]
    local = [expr("fib", (1, 1), (3, 2), (2, 3)), expr("cmp", (1, 1), (2, 0), (3, [(1, struct.pack("=I", 2))]))]
    udp = [expr("meta", (2, 16), (1, 1)), expr("cmp", (1, 1), (2, 0), (3, [(1, b"\x11")]))]
    accept = [expr("immediate", (1, 0), (2, [(2, [(1, struct.pack("!I", 1))])]))]
    port, host = ([expr("reject", (1, 0), (2, bytes([code])))] for code in (3, 1))
    hook = [(1, struct.pack("!I", 0)), (2, struct.pack("!I", 0))]
    rules = [pack(*parts) for parts in ([*came, *local, *accept], [*came, *udp, *port], [*came, *host])]
    return [(TABLE, INET, [table]), (CHAIN, INET, [table, (3, chain), (4, pack(*hook)), (7, b"filter\0")]),
            *[(RULE, INET, [table, (2, chain), (4, rule)]) for rule in rules]]


def page(got):
    """Any whole request is answered."""
    if b"\r\n\r\n" not in got:
        return None
    body = b"handwired world: " + got.split(b"\r\n")[0][:200] + b"\n"
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)


def dns_answer(message, numbers):
    """As world.py answers: A of the site and of all names under it, no such name otherwise. None: no query."""
    if len(message) < 17 or message[2] & 0xF8:
        return None
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]])
        at += 1 + message[at]
    name, kind = b".".join(labels).decode("latin-1").lower(), struct.unpack_from("!H", message, at + 1)[0]
    site = numbers["site"]["name"]
    ours = name == site or name.endswith("." + site)
    record = struct.pack("!HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(numbers["site"]["address"])
    record = record if ours and kind == 1 else b""
    flags = 0x8080 | (message[2] & 1) << 8 | (0 if ours else 3)
    return message[:2] + struct.pack("!5H", flags, 1, 1 if record else 0, 0, 0) + message[12:at + 5] + record


def world_serve(servers, place, numbers):
    def dns_stream(got):
        length = struct.unpack_from("!H", got)[0] if len(got) > 1 else 1 << 16
        reply = dns_answer(got[2:2 + length], numbers) if len(got) >= length + 2 else None
        return reply and struct.pack("!H", len(reply)) + reply

    for port in numbers["site"]["ports"]:
        sock = servers.bound(place, socket.SOCK_STREAM, numbers["site"]["address"], port)
        servers.accepting(sock, lambda client, _: Answering(servers, client, page))
    for address in numbers["resolvers"]:
        sock = servers.bound(place, socket.SOCK_STREAM, address, 53)
        servers.accepting(sock, lambda client, _: Answering(servers, client, dns_stream))
        sock = servers.bound(place, socket.SOCK_DGRAM, address, 53)
        servers.selector.register(sock, 1, lambda _, sock=sock: dns_datagram(sock, numbers))


def dns_datagram(sock, numbers):
    message, peer = sock.recvfrom(4096)
    reply = dns_answer(message, numbers)
    if reply:
        sock.sendto(reply, peer)


def ask_name(place, probe, result, end):
    """A lookup as the C library makes it: each name server of the container's resolv.conf in turn, over UDP."""
    result["stage"] = "lookup"
    ident, name = os.urandom(2), "%s.%s" % (probe["token"], probe["name"])
    question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0\0\1\0\1"
    servers = re.findall(r"(?m)^nameserver\s+([\d.]+)\s*$", place.etc[probe["in"]]["resolv.conf"] or "")[:3]
    each = (end - clock.now()) / 2
    for server in (servers or ["127.0.0.1"]) * 2:
        until = min(end, clock.now() + each)
        try:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setblocking(False)
            sock.connect((server, 53))
            sock.send(ident + b"\1\0\0\1\0\0\0\0\0\0" + question)
            ready(sock, False, until)
            reply = sock.recv(4096)
        except OSError as error:
            reason = error
            continue
        finally:
            sock.close()
        count = struct.unpack_from("!H", reply, 6)[0]
        if reply[:2] != ident or not count:
            raise OSError(errno.ENODATA, "the name was not found")
        # The records' ends are at the message's end: type A, class IN, TTL, length 4, address.
        found = re.findall(rb"\x00\x01\x00\x01.{4}\x00\x04(.{4})", reply[12 + len(question):], re.S)
        return {"answers": [socket.inet_ntoa(address) for address in found[:8]]}
    raise reason
