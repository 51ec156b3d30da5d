"""Echo requests and HTTP requests."""


def ready(sock, writing, end):
    """Waits in short slices: `end` is by the patient clock."""
    while clock.now() < end:
        found = select.select([] if writing else [sock], [sock] if writing else [], [], 0.05)
        if found[0] or found[1]:
            return
    raise TimeoutError("no answer")


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def icmp(place, probe, result, end):
    """Echo request, RFC 792, again each 0.4 s."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    ident, body, sequence = os.urandom(2), probe["token"].encode() + b"." * 12, 0
    ask = 0.0
    while clock.now() < end:
        if clock.now() >= ask:
            sequence += 1
            head = ident + struct.pack("!H", sequence)
            packet = b"\x08\0" + struct.pack("!H", checksum(b"\x08\0\0\0" + head + body)) + head + body
            sock.sendto(packet, (probe["to"], 0))
            ask = clock.now() + 0.4
        if not select.select([sock], [], [], 0.05)[0]:
            continue
        data, sender = sock.recvfrom(2048)
        start = (data[0] & 15) * 4
        if probe["token"].encode() not in data:
            continue
        if data[start] == 0 and sender[0] == probe["to"]:
            return {"from": sender[0]}
        if data[start] == 3:
            result["unreachable"] = {"from": sender[0], "code": data[start + 1]}
    raise TimeoutError("no answer")


def dial(place, probe, result, address, port, end):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    with place.lock:
        for left in range(2000, -1, -1):
            sock.bind((probe.get("from", ""), 0))
            local = sock.getsockname()[1]
            free = local not in place.shunned or left < 1000
            if free and place.of_port.setdefault(local, probe["id"]) == probe["id"] or left == 0:
                break
            sock.close()
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            sock.setblocking(False)
    result["stage"] = "connect"
    code = sock.connect_ex((address, port))
    if code == errno.EINPROGRESS:
        ready(sock, True, end)
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))
    return sock


def talk(sock, probe, result, end):
    """One request; the reply's beginning, as far as it comes without a pause. `size`: so many bytes more are asked for, and
    must be in the reply, whenever they come."""
    result["stage"] = "reply"
    size = probe.get("size", 0)
    asked = probe["token"] + "." * size
    request = "GET /%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (asked, probe.get("name", "example.com"))
    sock.sendall(request.encode())
    reply = b""
    while len(reply) < 600 or size and asked.encode() not in reply and len(reply) < 4 * size:
        wait = end if size or not reply else min(end, clock.now() + 0.05)
        try:
            data = sock.receive(wait) if hasattr(sock, "receive") else take(sock, wait)
        except OSError:
            if not reply:
                raise
            break
        if not data:
            break
        reply += data
    if not reply:
        raise TimeoutError("connected, no reply")
    if size and asked.encode() not in reply:
        raise TimeoutError("only %d bytes of the reply came" % len(reply))
    return {"reply": reply[:600].decode("latin-1"), "echoed": probe["token"].encode() in reply}


def take(sock, end):
    while True:
        try:
            return sock.recv(4096)
        except BlockingIOError:
            pass
        ready(sock, False, end)


def http(place, probe, result, end):
    """A request to an address. `patient`: to a server that may take one client at a time. Such requests take turns, as far
    as those before them are answered; and ask again, because it refuses between two clients."""
    if not probe.get("patient"):
        return exchange(place, probe, result, end, end)
    share, before = P["seconds"] / 5, clock.now()
    mine = place.turn.acquire(timeout=share)
    end += clock.now() - before
    try:
        while True:
            try:
                # Where nobody more may wait the kernel drops the SYN and sends the next a second later: a new one is sooner.
                return exchange(place, probe, result, min(end, clock.now() + share), end)
            except OSError as error:
                full = isinstance(error, TimeoutError) and result["stage"] == "connect"
                again = full or isinstance(error, ConnectionError) or str(error) == "connected, no reply"
                if not again or clock.now() + 0.1 > end:
                    raise
                time.sleep(0 if full else 0.05)
    finally:
        if mine:
            place.turn.release()


def exchange(place, probe, result, soon, end):
    sock = dial(place, probe, result, probe["to"], probe["port"], soon)
    try:
        return talk(sock, probe, result, end)
    finally:
        sock.close()
