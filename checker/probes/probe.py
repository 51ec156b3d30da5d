"""Sends real traffic from a lab host's namespaces, all at once, and prints what happened as one framed JSON document.

Runs on the lab host as `python3 -ISB` (3.9 or newer, standard library only), in the root network namespace.
The caller defines P before this text: {"nonce": str, "probes": [...], "capture": [names], "seconds": float}; a probe is
{"id", "kind": icmp|http|https|lookup, "in": "root"|"world"|a name in /run/netns, "token", ...}, see probes/list.ts.
Every packet carries its probe's token. Packet sockets (packet(7)) in each namespace of `capture` say where tokens
were seen: that is evidence which does not depend on who answers. Output: framed as in observe.py.
"""
import ctypes, errno, json, os, re, select, signal, socket, struct, subprocess, sys, threading, time

libc = ctypes.CDLL(None, use_errno=True)
TOKEN = re.compile(rb"hw[0-9a-f]{18}", re.I)
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "RES_OPTIONS": "timeout:1 attempts:1"}
CHILDREN_GRACE = 0.8
OF_TOKEN = {probe["token"].encode(): probe["id"] for probe in P["probes"]}
OF_PORT = {}  # a local port -> probe id: tells the packets that carry no token (SYN, RST) apart
lock = threading.Lock()


class Patience(threading.Thread):
    """A clock that stands still while this machine does not let us run, so that load never looks like packet loss."""

    def __init__(self):
        super().__init__(daemon=True)
        self.lost = 0.0
        self.start()

    def run(self):
        while True:
            before = time.monotonic()
            time.sleep(0.02)
            late = time.monotonic() - before - 0.03
            if late > 0:
                self.lost = min(self.lost + late, 6.0)

    def now(self):
        return time.monotonic() - self.lost


def namespaces():
    """File descriptors by name; a name that leads to no namespace is left out."""
    paths = {"root": "/proc/self/ns/net"}
    try:
        with open("/run/handwired/world.pid") as file:
            paths["world"] = "/proc/%d/ns/net" % int(file.read(20))
    except (OSError, ValueError):
        pass
    for probe in P["probes"]:
        paths.setdefault(probe["in"], "/run/netns/" + probe["in"])
    opened = {}
    for name, path in paths.items():
        try:
            opened[name] = os.open(path, os.O_RDONLY)
        except OSError:
            pass
    return opened


NS = namespaces()


def enter(name):
    """Moves this thread, and no other, into a network namespace: setns(2)."""
    if name not in NS:
        raise OSError(errno.ENOENT, "no network namespace %s" % name)
    if libc.setns(NS[name], 0x40000000):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


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


def icmp(probe, result, end):
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


def dial(probe, result, address, port, end):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    with lock:
        while True:
            sock.bind((probe.get("from", ""), 0))
            local = sock.getsockname()[1]
            if OF_PORT.setdefault(local, probe["id"]) == probe["id"]:
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
    """One request; the reply's beginning, as far as it comes without a pause."""
    result["stage"] = "reply"
    request = "GET /%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (probe["token"], probe.get("name", "example.com"))
    sock.sendall(request.encode())
    reply = b""
    while len(reply) < 600:
        wait = end if not reply else min(end, clock.now() + 0.05)
        try:
            data = take(sock, wait)
        except OSError:
            if not reply:
                raise
            break
        if not data:
            break
        reply += data
    if not reply:
        raise TimeoutError("connected, no reply")
    return {"reply": reply[:600].decode("latin-1")}


def take(sock, end):
    while True:
        try:
            return sock.recv(4096)
        except (BlockingIOError, OSError) as error:
            if not isinstance(error, BlockingIOError) and type(error).__name__ != "SSLWantReadError":
                raise
        ready(sock, False, end)


def http(probe, result, end):
    """A request to an address. `patient`: a server that takes one at a time may refuse between two."""
    while True:
        try:
            sock = dial(probe, result, probe["to"], probe["port"], end)
            try:
                return talk(sock, probe, result, end)
            finally:
                sock.close()
        except OSError as error:
            again = isinstance(error, ConnectionError) or str(error) == "connected, no reply"
            if not (again and probe.get("patient") and clock.now() + 0.1 < end):
                raise
            time.sleep(0.05)


def lookup(probe, result, end):
    """What a program in there gets: the C library, its nsswitch.conf, and /etc/netns/NAME over /etc (ip-netns(8))."""
    result["stage"] = "lookup"
    argv = ["/usr/bin/getent", "ahostsv4", "%s.%s" % (probe["token"], probe["name"])]
    if probe["in"] not in ("root", "world"):
        argv = ["/usr/sbin/ip", "netns", "exec", probe["in"]] + argv
    with lock:  # two at once could inherit each other's pipes
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 env=ENV, cwd="/", start_new_session=True)
    output = b""
    try:
        while len(output) < 4096:
            ready(child.stdout, False, end + CHILDREN_GRACE)
            data = os.read(child.stdout.fileno(), 4096)
            if not data:
                break
            output += data
    finally:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except OSError:
            pass
        child.wait()
        child.stdout.close()
    found = re.findall(rb"^(\d+\.\d+\.\d+\.\d+)\s+STREAM", output, re.M)
    if not found:
        raise OSError(errno.ENODATA, "the name was not found")
    return {"answers": [address.decode() for address in found[:8]]}


def https(probe, result, end):
    """By name, with the certificate checked against the lab host's own trust store."""
    import ssl

    found = lookup(probe, result, end)
    enter(probe["in"])
    sock = dial(probe, result, found["answers"][0], 443, end)
    result["stage"] = "tls"
    context = ssl.create_default_context()
    sock = context.wrap_socket(sock, server_hostname=probe["name"], do_handshake_on_connect=False)
    while True:
        try:
            sock.do_handshake()
            break
        except ssl.SSLWantReadError:
            ready(sock, False, end)
    return {**found, **talk(sock, probe, result, end)}


KINDS = {"icmp": icmp, "http": http, "https": https, "lookup": lookup}


def perform(probe, results):
    result = {"ok": False, "stage": "start", "error": None}
    before = time.monotonic()
    try:
        if probe["in"] not in NS:
            raise OSError(errno.ENOENT, "no network namespace %s" % probe["in"])
        if probe["kind"] in ("icmp", "http"):
            enter(probe["in"])
        result.update(KINDS[probe["kind"]](probe, result, clock.now() + P["seconds"]))
        result["ok"] = True
        result["stage"] = "done"
    except Exception as error:
        result["error"] = (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:200]
        result["errno"] = errno.errorcode.get(getattr(error, "errno", None) or 0)
    result["ms"] = round((time.monotonic() - before) * 1000)
    results[probe["id"]] = result


class Capture(threading.Thread):
    """All packets of the captured namespaces; kept are those with a token or with a probe's port, counted by sight."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socks, self.seen, self.over, self.stop = {}, {}, False, False
        self.stopper, self.wake = os.pipe()

    def open(self):
        for name in P["capture"]:
            if name not in NS:
                continue
            try:
                enter(name)
                sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, socket.htons(3))
                sock.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE
                self.socks[sock] = name
            except OSError:
                pass
            finally:
                enter("root")

    def run(self):
        while True:
            found = select.select([*self.socks, self.stopper], [], [], 0.5)[0]
            for sock in found:
                if sock != self.stopper:
                    self.drain(sock)
            if found == [self.stopper]:
                return

    def drain(self, sock):
        for _ in range(500):
            try:
                data, (device, protocol, kind, _, mac) = sock.recvfrom(2048)
            except OSError:
                return
            sight = arp(data) if protocol == 0x806 else packet(data) if protocol == 0x800 else None
            if sight is None:
                continue
            key = (sight.pop("probe"), self.socks[sock], device, "out" if kind == 4 else "in", *sight.values())
            if key in self.seen:
                self.seen[key] += 1
            elif len(self.seen) < 3000:
                self.seen[key] = 1
            else:
                self.over = True

    def finish(self):
        os.write(self.wake, b".")
        self.join(2)
        names = ("probe", "in", "device", "way", "what", "source", "sourcePort", "target", "targetPort")
        return [dict(zip(names, key), count=count) for key, count in self.seen.items()]

    def drops(self):
        """Packets that the kernel could not keep for us: PACKET_STATISTICS."""
        return {name: struct.unpack("II", sock.getsockopt(263, 6, 8))[1] for sock, name in self.socks.items()}


def arp(data):
    if len(data) < 28:
        return None
    what = {1: "who-has", 2: "is-at"}.get(data[7])
    return what and {"probe": None, "what": what, "source": socket.inet_ntoa(data[14:18]), "sourcePort": 0,
                     "target": socket.inet_ntoa(data[24:28]), "targetPort": 0}


def packet(data):
    """The token's or the port's probe and the addresses of an IPv4 packet; None for anybody else's."""
    if len(data) < 28 or data[0] >> 4 != 4:
        return None
    start, protocol = (data[0] & 15) * 4, data[9]
    body = data[start:]
    token = TOKEN.search(body)
    probe = OF_TOKEN.get(token.group().lower()) if token else None
    source, target = socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])
    ports = (0, 0)
    if protocol in (6, 17) and len(body) >= 8:
        ports = struct.unpack("!HH", body[:4])
        if protocol == 6 and probe is None:
            probe = OF_PORT.get(ports[0]) or OF_PORT.get(ports[1])
    if probe is None:
        return None
    if protocol == 6 and len(body) >= 20:
        flags, payload = body[13], len(data) > start + (body[12] >> 4) * 4
        what = "request" if token else "rst" if flags & 4 else "syn-ack" if flags & 18 == 18 else \
            "syn" if flags & 2 else "reply" if payload else None
    elif protocol == 17:
        what = "query" if ports[1] == 53 else "answer" if ports[0] == 53 else "datagram"
    else:
        what = {0: "echo-reply", 3: "unreachable", 8: "echo"}.get(body[0]) if protocol == 1 else None
        ports = (0, body[1] if what == "unreachable" else 0)
    return what and {"probe": probe, "what": what, "source": source, "sourcePort": ports[0], "target": target,
                     "targetPort": ports[1]}


def world_log():
    """Lines of the world's log with one of our tokens."""
    lines = []
    for path in ("/run/handwired/world.log.1", "/run/handwired/world.log"):
        try:
            with open(path, "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - (1 << 18)))
                lines += [line[:4000] for line in file.read(1 << 18).splitlines()]
        except OSError:
            pass
    found = []
    for line in lines:
        token = TOKEN.search(line)
        if token and token.group().lower() in OF_TOKEN:
            try:
                found.append({"probe": OF_TOKEN[token.group().lower()], **json.loads(line)})
            except ValueError:
                pass
    return found[:500]


def main():
    capture, results = Capture(), {}
    capture.open()
    capture.start()
    threads = [threading.Thread(target=perform, args=(probe, results), daemon=True) for probe in P["probes"]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    time.sleep(0.03)  # packets that are still on their way through the namespaces
    return {"results": results, "seen": capture.finish(), "over": capture.over, "drops": capture.drops(),
            "log": world_log(), "lost": round(clock.lost * 1000)}


clock = Patience()
body = json.dumps(main()).encode()
sys.stdout.buffer.write(b"%s %d\n%s\n%s end\n" % (P["nonce"].encode(), len(body), body, P["nonce"].encode()))
sys.stdout.buffer.flush()
os._exit(0)
