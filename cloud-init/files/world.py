"""The world beyond a lab host's uplink: DNS on 8.8.8.8 and 1.1.1.1, a web site on 93.184.216.34, a log of who asked.

The site's /knock/PORT has the outside client 198.51.100.7 ask the lab host's uplink once, and says what came of it.

Runs in its own netns, made by world-start; same numbers as host/world.ts. Standard library only, Python 3.11-3.13.
Whatever it reads is a learner's: every read is bounded in size and time, and answered or refused at once.
The process goes to the background when all sockets listen, so that its start needs no polling.
"""

import asyncio
import json
import os
import re
import socket
import ssl
import struct
import sys
import time

RESOLVERS = ("8.8.8.8", "1.1.1.1")
SITE_NAME = "example.com"
SITE_ADDRESS = "93.184.216.34"
HTTP_PORTS = (80, 8080)
HTTPS_PORT = 443
OUTSIDE = "198.51.100.7"
UPLINK = "203.0.113.2"

RUN = "/run/handwired"
CERTIFICATES = "/etc/handwired/world"
LOG_BYTES = 4 << 20  # then world.log becomes world.log.1 and a new one begins
HEAD_BYTES = 16 << 10
LINE_BYTES = 200
READ_SECONDS = 30  # more than the grader ever waits for its own side (Patience.most, twice): it is never cut off by us
KNOCK_SECONDS = 2  # less than READ_SECONDS: the asker is always told
CONNECTIONS = 512

NOERROR, FORMERR, NXDOMAIN, NOTIMP = 0, 1, 3, 4  # RFC 1035, 4.1.1
TYPES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 65: "HTTPS"}


class Log:
    """One JSON object a line, written at once and bounded: at most two files of LOG_BYTES."""

    def __init__(self, path):
        self.path = path
        self.open()

    def open(self):
        self.file = open(self.path, "ab", buffering=0)
        self.size = self.file.tell()

    def write(self, kind, **fields):
        line = json.dumps({"t": round(time.time(), 6), "kind": kind, **fields}).encode() + b"\n"
        if self.size + len(line) > LOG_BYTES:
            self.file.close()
            os.replace(self.path, self.path + ".1")
            self.open()
        try:
            self.file.write(line)
            self.size += len(line)
        except OSError:
            pass  # a full disk is no reason to stop answering


def question(message):
    """Name (lower case, no final dot), type number and end offset of a query's one question; ValueError if malformed."""
    labels, at = [], 12
    while True:
        length = message[at]
        if length == 0:
            break
        if length > 63 or at + 1 + length >= len(message):
            raise ValueError("label")
        labels.append(message[at + 1 : at + 1 + length].decode("latin-1"))
        at += 1 + length
    kind, _ = struct.unpack_from("!HH", message, at + 1)
    return ".".join(labels).lower(), kind, at + 5


def answer(message, note):
    """The reply to one DNS message (RFC 1035), or None when it is no query. `note(name, type)` logs it."""
    if len(message) < 12:
        return None
    ident, flags, count = struct.unpack_from("!HHH", message)
    if flags & 0x8000:
        return None
    opcode, recursion = flags & 0x7800, flags & 0x0100

    def reply(code, tail=b"", questions=0, answers=0):
        return struct.pack("!6H", ident, 0x8080 | opcode | recursion | code, questions, answers, 0, 0) + tail

    if opcode:
        return reply(NOTIMP)
    try:
        if count != 1:
            raise ValueError("questions")
        name, kind, end = question(message)
    except (ValueError, IndexError, struct.error):
        return reply(FORMERR)
    note(name, TYPES.get(kind, f"TYPE{kind}"))
    asked = message[12:end]
    if name != SITE_NAME and not name.endswith("." + SITE_NAME):
        return reply(NXDOMAIN, asked, 1)
    if kind != 1:
        return reply(NOERROR, asked, 1)
    # 0xc00c points to the question's name; TTL 0, so that every question of a learner arrives here.
    record = struct.pack("!HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(SITE_ADDRESS)
    return reply(NOERROR, asked + record, 1, 1)


class World:
    def __init__(self):
        self.log = Log(f"{RUN}/world.log")
        self.connections = 0

    def noter(self, source, target):
        return lambda name, kind: self.log.write(
            "dns", src=source[0], sport=source[1], dst=target[0], name=name, type=kind
        )

    def dns_datagram(self, sock):
        for _ in range(64):
            try:
                message, source = sock.recvfrom(4096)
            except OSError:
                return
            reply = answer(message, self.noter(source, sock.getsockname()))
            try:
                if reply:
                    sock.sendto(reply, source)
            except OSError:
                pass  # no way back to an address that was not translated

    def icmp_datagram(self, sock):
        for _ in range(64):
            try:
                packet = sock.recv(2048)
            except OSError:
                return
            start = (packet[0] & 15) * 4
            if len(packet) < start + 8 or packet[start] != 8:  # 8: echo request; the kernel answers it
                continue
            ident, sequence = struct.unpack_from("!HH", packet, start + 4)
            source, target = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
            self.log.write("icmp", src=source, dst=target, id=ident, seq=sequence)

    def guarded(self, serve):
        """One connection: counted, bounded in time, closed whatever happens."""

        async def connection(reader, writer):
            self.connections += 1
            try:
                if self.connections <= CONNECTIONS:
                    await asyncio.wait_for(serve(reader, writer), READ_SECONDS)
            except (OSError, ValueError, EOFError, asyncio.TimeoutError, asyncio.LimitOverrunError):
                pass
            finally:
                self.connections -= 1
                writer.close()

        return connection

    async def dns_stream(self, reader, writer):
        note = self.noter(writer.get_extra_info("peername"), writer.get_extra_info("sockname"))
        while True:
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            reply = answer(await reader.readexactly(length), note)
            if reply is None:
                return
            writer.write(struct.pack("!H", len(reply)) + reply)
            await writer.drain()

    async def page(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        fields = dict(line.split(":", 1) for line in head[1:] if ":" in line)
        host = {name.strip().lower(): value.strip() for name, value in fields.items()}.get("host", "")
        source, target = writer.get_extra_info("peername"), writer.get_extra_info("sockname")
        kind = "https" if writer.get_extra_info("ssl_object") else "http"
        seen = {"src": source[0], "sport": source[1], "dst": target[0], "dport": target[1]}
        self.log.write(kind, **seen, method=method[:16], path=path[:2048], host=host[:255])
        port = knocked(path)
        if port is None:
            status = "200 OK"
            text = f"handwired world: {method[:16]} {plain(path[:2048])} at {target[0]}:{target[1]} from {source[0]}:{source[1]}\n"
        else:
            status, text = await self.knock(port)
        body = text.encode("ascii", "replace")
        header = (
            f"HTTP/1.1 {status}\r\nServer: handwired-world\r\nContent-Type: text/plain; charset=us-ascii\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(header.encode() + (b"" if method == "HEAD" else body))
        await writer.drain()

    async def knock(self, port):
        """One HTTP request from OUTSIDE to UPLINK:port: the status of the site's own page, and the line that it says."""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            sock.setblocking(False)
            sock.bind((OUTSIDE, 0))
            sport = sock.getsockname()[1]
            status, came = await knocking(sock, port)
        self.log.write("knock", src=OUTSIDE, sport=sport, dst=UPLINK, dport=port, came=came)
        return status, f"knock from {OUTSIDE}:{sport} to {UPLINK}:{port}: {came}\n"

    async def serve(self, sockets, context):
        loop = asyncio.get_running_loop()
        for sock in sockets["dns_udp"]:
            loop.add_reader(sock, self.dns_datagram, sock)
        loop.add_reader(sockets["icmp"], self.icmp_datagram, sockets["icmp"])
        dns, page = self.guarded(self.dns_stream), self.guarded(self.page)
        for sock in sockets["dns_tcp"]:
            await asyncio.start_server(dns, sock=sock)
        for sock in sockets["http"]:
            await asyncio.start_server(page, sock=sock, limit=HEAD_BYTES)
        await asyncio.start_server(
            page, sock=sockets["https"], limit=HEAD_BYTES, ssl=context, ssl_handshake_timeout=READ_SECONDS
        )
        await asyncio.Event().wait()


def knocked(path):
    """The port of /knock/PORT; None for another path."""
    match = re.fullmatch(r"/knock/([0-9]{1,5})", path)
    return int(match[1]) if match and 0 < int(match[1]) < 65536 else None


async def knocking(sock, port):
    """Asks UPLINK:port, bounded in time and size. What came of it: an HTTP status for whoever wanted it, and words."""
    connected = []
    try:
        reply = await asyncio.wait_for(first_line(sock, port, connected), KNOCK_SECONDS)
    except (asyncio.TimeoutError, TimeoutError):
        what = "connected, but no reply" if connected else "no answer"
        return "504 Gateway Timeout", f"{what} in {KNOCK_SECONDS} s"
    except OSError as error:
        return "502 Bad Gateway", os.strerror(error.errno) if error.errno else type(error).__name__
    return ("200 OK", plain(reply)) if reply else ("502 Bad Gateway", "connected, and closed without a reply")


async def first_line(sock, port, connected):
    loop, reply = asyncio.get_running_loop(), b""
    await loop.sock_connect(sock, (UPLINK, port))
    connected.append(True)
    await loop.sock_sendall(sock, f"GET / HTTP/1.1\r\nHost: {UPLINK}:{port}\r\nConnection: close\r\n\r\n".encode())
    while b"\n" not in reply and len(reply) < LINE_BYTES:
        more = await loop.sock_recv(sock, LINE_BYTES)
        if not more:
            break
        reply += more
    return reply.split(b"\n")[0].rstrip(b"\r")[:LINE_BYTES].decode("latin-1")


def plain(said):
    return "".join(c if " " <= c < "\x7f" else "?" for c in said)


def bound(kind, address, port, protocol=0):
    sock = socket.socket(socket.AF_INET, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setblocking(False)
    sock.bind((address, port))
    if kind == socket.SOCK_STREAM:
        sock.listen(256)
    return sock


def listen():
    return {
        "dns_udp": [bound(socket.SOCK_DGRAM, address, 53) for address in RESOLVERS],
        "dns_tcp": [bound(socket.SOCK_STREAM, address, 53) for address in RESOLVERS],
        "http": [bound(socket.SOCK_STREAM, SITE_ADDRESS, port) for port in HTTP_PORTS],
        "https": bound(socket.SOCK_STREAM, SITE_ADDRESS, HTTPS_PORT),
        "icmp": bound(socket.SOCK_RAW, "0.0.0.0", 0, socket.IPPROTO_ICMP),
    }


def into_background():
    """Leaves the caller's session and streams; the parent ends, which tells the caller that all sockets listen."""
    child = os.fork()
    if child:
        with open(f"{RUN}/world.pid.new", "w") as pid:
            pid.write(f"{child}\n")
        os.replace(f"{RUN}/world.pid.new", f"{RUN}/world.pid")
        os._exit(0)
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    with open("/proc/self/comm", "w") as comm:
        comm.write("handwired-world")


def main():
    os.chdir("/")
    sockets = listen()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{CERTIFICATES}/site.crt", f"{CERTIFICATES}/site.key")
    world = World()
    into_background()
    asyncio.run(world.serve(sockets, context))


if __name__ == "__main__":
    sys.exit(main())
