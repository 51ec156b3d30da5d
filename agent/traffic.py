"""Real traffic from a lab host's network namespaces: echo requests, HTTP requests, name lookups.

A probe is {"id", "kind", "in": "root", "world" or a name in /run/netns, "token", ...}: see checker/evidence/probes.ts.
Each of its packets carries its token.
"""

from __future__ import annotations

import errno
import os
import re
import select
import socket
import struct
import subprocess
import threading
import time

from agent.namespaces import enter_netns
from agent.packets import ECHO_REPLY, UNREACHABLE, make_dns_query, make_dns_question, make_echo
from agent.system import (
    CLONE_FS,
    CLONE_NEWNS,
    COMMAND_ENV,
    MS_NODEV,
    MS_NOSUID,
    MS_PRIVATE,
    MS_REC,
    mount,
    unshare,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Protocol

    Probe = dict[str, Any]
    Result = dict[str, Any]
    Perform = Callable[["Place", Probe, Result, float], Result]
    """Performs a probe until a moment of the place's clock. Gives what it found; raises what went wrong."""

    ResolverFiles = Mapping[str, "str | None"]

    class Stream(Protocol):
        """What a request is sent over: `receive` waits until a moment of the place's clock."""

        def sendall(self, data: bytes, /) -> None:
            """Sends a few bytes."""

        def receive(self, end: float) -> bytes:
            """What comes next; empty at the end."""


TOKEN = re.compile(rb"hw[0-9a-f]{18}", re.IGNORECASE)
POLL_SECONDS = 0.05
ECHO_SECONDS = 0.4
"""An unanswered echo request is sent again after this many seconds."""

MOST_REPLY = 600


class PatientClock(threading.Thread):
    """A clock that stops while this machine does not let us run, so that load never looks like packet loss.

    The control experiment, in which the world asks itself, shows how slow answers are: ten times its time is added.
    """

    most_lost = 12.0
    """Seconds; checker/evidence/evidence.ts and tests/world.test.ts know it too."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.late, self.granted = 0.0, 0.0
        self.start()

    def run(self) -> None:
        """Measures by how much longer than asked for the thread sleeps."""
        while True:
            before = time.monotonic()
            time.sleep(0.02)
            late = time.monotonic() - before - 0.03
            if late > 0:
                self.late = min(self.late + late, self.most_lost)

    def grant(self, seconds: float) -> None:
        """Extends all timeouts by ten times this."""
        self.granted += 10 * seconds

    def count_lost(self) -> float:
        """Seconds that make a missing answer worth nothing when they are `most_lost` or more.

        Those in which we were not let run. An emulated machine is slow all the time and is waited for accordingly, so
        what was granted counts only as far as it is far more than can be waited for.
        """
        return self.late + max(0.0, self.granted - 2 * self.most_lost)

    def now(self) -> float:
        """Seconds, without those that were lost or granted."""
        return time.monotonic() - min(self.late + self.granted, self.most_lost)


class Waits:
    """How long things may take, in seconds.

    `seconds`: an answer to an experiment. `grace`: beyond it, the start and the end of a program that asks in our
    place.
    """

    def __init__(self, seconds: float, slow: float) -> None:
        slowness = measure_slowness()
        self.seconds = max(seconds, min(slow * slowness, PatientClock.most_lost))
        self.grace = max(0.1, min(5 * slowness, 0.4))


def measure_slowness() -> float:
    """Seconds that a trivial program takes here: a few ms on an idle machine, 0.1 to 0.2 s under TCG."""
    before = time.monotonic()
    subprocess.run(
        ["/usr/bin/getent", "ahostsv4", "127.0.0.1"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=COMMAND_ENV,
        cwd="/",
        timeout=20,
    )
    return time.monotonic() - before


class Place:
    """Network namespaces to experiment in, the lab host's own or a copy, and how our packets are known there.

    `spaces`: file descriptors by name. `resolver_files`: files of /etc by the namespace's name. `kinds`: how a probe of
    each kind is performed. `clock` is there from `start_clock` on.
    """

    def __init__(
        self,
        spaces: dict[str, int],
        probes: Sequence[Probe],
        resolver_files: Mapping[str, ResolverFiles],
        waits: Waits,
        kinds: Mapping[str, Perform],
    ) -> None:
        self.spaces, self.probes, self.resolver_files = spaces, probes, resolver_files
        self.waits, self.kinds = waits, kinds
        self.clock: PatientClock
        self.id_of_token: dict[bytes, str] = {probe["token"].encode(): probe["id"] for probe in probes}
        self.id_of_port: dict[int, str] = {}
        """By local port: tells the packets apart that carry no token (SYN, RST)."""
        self.id_of_random: dict[bytes, str] = {}
        """By the random of a TLS client."""
        self.shunned_ports: set[int] = set()
        """Local ports that are not used as long as there are others."""
        self.lock, self.turn = threading.Lock(), threading.Lock()

    def start_clock(self) -> None:
        """Call it before an experiment, in the process that makes it: the clock is a thread."""
        self.clock = PatientClock()

    def enter(self, name: str) -> None:
        """Moves this thread, and no other, into one of the namespaces."""
        if name not in self.spaces:
            raise OSError(errno.ENOENT, f"no network namespace {name}")
        enter_netns(self.spaces[name])

    def wait_for(self, sock: Any, writing: bool, end: float) -> None:
        """Waits until something can be read or written.

        In short slices, as `end` is by a clock that may stand still.
        """
        while self.clock.now() < end:
            found = select.select([] if writing else [sock], [sock] if writing else [], [], POLL_SECONDS)
            if found[0] or found[1]:
                return
        raise TimeoutError("no answer")

    def receive(self, sock: socket.socket, end: float) -> bytes:
        """What comes next on a socket that does not block."""
        while True:
            try:
                return sock.recv(4096)
            except BlockingIOError:
                pass
            self.wait_for(sock, False, end)


class PlainStream:
    """A TCP connection as a Stream."""

    def __init__(self, place: Place, sock: socket.socket) -> None:
        self.place, self.sock = place, sock

    def sendall(self, data: bytes) -> None:
        """Sends a few bytes."""
        self.sock.sendall(data)

    def receive(self, end: float) -> bytes:
        """What comes next; empty at the end."""
        return self.place.receive(self.sock, end)


def send_echo(place: Place, probe: Probe, result: Result, end: float) -> Result:
    """Echo requests to "to", until one is answered."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    token = probe["token"].encode()
    ident, sequence, due = os.urandom(2), 0, 0.0
    while place.clock.now() < end:
        if place.clock.now() >= due:
            sequence += 1
            sock.sendto(make_echo(ident, sequence, token + b"." * 12), (probe["to"], 0))
            due = place.clock.now() + ECHO_SECONDS
        if not select.select([sock], [], [], POLL_SECONDS)[0]:
            continue
        data, sender = sock.recvfrom(2048)
        if token not in data:
            continue
        start = (data[0] & 15) * 4
        if data[start] == ECHO_REPLY and sender[0] == probe["to"]:
            return {"from": sender[0]}
        if data[start] == UNREACHABLE:
            result["unreachable"] = {"from": sender[0], "code": data[start + 1]}
    raise TimeoutError("no answer")


def bind_known_port(place: Place, probe: Probe) -> socket.socket:
    """A TCP socket with a local port by which its packets are known, and that conntrack does not remember."""
    for left in range(2000, -1, -1):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.bind((probe.get("from", ""), 0))
        port = sock.getsockname()[1]
        is_free = port not in place.shunned_ports or left < 1000
        with place.lock:
            if (is_free and place.id_of_port.setdefault(port, probe["id"]) == probe["id"]) or left == 0:
                break
        sock.close()
    return sock


def connect(place: Place, probe: Probe, result: Result, target: tuple[str, int], end: float) -> socket.socket:
    """A TCP connection."""
    sock = bind_known_port(place, probe)
    result["stage"] = "connect"
    code = sock.connect_ex(target)
    if code == errno.EINPROGRESS:
        place.wait_for(sock, True, end)
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))
    return sock


def request_page(place: Place, stream: Stream, probe: Probe, result: Result, end: float) -> Result:
    """One HTTP request; the reply's beginning, as far as it comes without a pause.

    With "size" so many bytes more are asked for, and must be in the reply, whenever they come.
    """
    result["stage"] = "reply"
    size = probe.get("size", 0)
    asked = probe["token"] + "." * size
    host = probe.get("name", "example.com")
    stream.sendall(f"GET /{asked} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    reply = b""
    while len(reply) < MOST_REPLY or (size and asked.encode() not in reply and len(reply) < 4 * size):
        wait = end if size or not reply else min(end, place.clock.now() + POLL_SECONDS)
        try:
            data = stream.receive(wait)
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
        raise TimeoutError(f"only {len(reply)} bytes of the reply came")
    return {"reply": reply[:MOST_REPLY].decode("latin-1"), "echoed": probe["token"].encode() in reply}


def request_http(place: Place, probe: Probe, result: Result, end: float) -> Result:
    """A request to "to" and "port".

    "patient": to a server that may take one client at a time. Such requests take turns, as far as those before them are
    answered; and ask again, because such a server refuses between two clients.
    """
    if not probe.get("patient"):
        return request_once(place, probe, result, end, end)
    share, before = place.waits.seconds / 5, place.clock.now()
    is_mine = place.turn.acquire(timeout=share)
    end += place.clock.now() - before
    try:
        while True:
            try:
                # A full backlog drops the SYN, and the kernel retries after a second. A new connection is faster.
                return request_once(place, probe, result, min(end, place.clock.now() + share), end)
            except OSError as error:
                is_full = isinstance(error, TimeoutError) and result["stage"] == "connect"
                again = is_full or isinstance(error, ConnectionError) or str(error) == "connected, no reply"
                if not again or place.clock.now() + 0.1 > end:
                    raise
                time.sleep(0 if is_full else 0.05)
    finally:
        if is_mine:
            place.turn.release()


def request_once(place: Place, probe: Probe, result: Result, connect_end: float, end: float) -> Result:
    """One connection and one request over it."""
    sock = connect(place, probe, result, (probe["to"], probe["port"]), connect_end)
    try:
        return request_page(place, PlainStream(place, sock), probe, result, end)
    finally:
        sock.close()


def replace_etc(files: ResolverFiles) -> None:
    """Gives this thread, and what it starts, an /etc with nothing but these files, and an empty /run.

    That is a mount namespace of the thread's own.
    """
    unshare(CLONE_NEWNS | CLONE_FS)
    mount("/", None, MS_REC | MS_PRIVATE)
    for folder in ("/etc", "/run"):
        mount(folder, "tmpfs", MS_NOSUID | MS_NODEV, "size=4m,mode=755")
    for name, content in files.items():
        if content is not None:
            with open("/etc/" + name, "w", encoding="utf-8") as file:
                file.write(content)


def look_up(place: Place, probe: Probe, result: Result, end: float) -> Result:
    """What the C library, the seat's own, finds for TOKEN.NAME by the learner's files as `ip netns exec` shows them."""
    result["stage"] = "lookup"
    replace_etc(place.resolver_files[probe["in"]])
    asked = f"{probe['token']}.{probe['name']}"
    timeout = max(1, int(place.waits.seconds / 2))
    child = subprocess.Popen(
        ["/usr/bin/getent", "ahostsv4", asked],
        cwd="/",
        env={**COMMAND_ENV, "RES_OPTIONS": f"timeout:{timeout} attempts:2"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert child.stdout
    output = b""
    try:
        while len(output) < 4096:
            place.wait_for(child.stdout, False, end + place.waits.grace)
            data = os.read(child.stdout.fileno(), 4096)
            if not data:
                break
            output += data
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    found = re.findall(rb"^(\d+\.\d+\.\d+\.\d+)\s+STREAM", output, re.MULTILINE)
    if not found:
        raise OSError(errno.ENODATA, "the name was not found")
    # getent prints the name that the answer is about beside the first address.
    names = re.findall(rb"^\S+\s+STREAM (\S+)", output, re.MULTILINE) or [b""]
    name = names[0].decode("ascii", "replace").lower().rstrip(".")
    other = {} if name in ("", asked) else {"foundAs": name[:300]}
    return {"answers": [address.decode() for address in found[:8]], **other}


def ask_name_servers(place: Place, probe: Probe, result: Result, end: float) -> Result:
    """A lookup without a program: each name server of the namespace's resolv.conf in turn, twice, over UDP."""
    result["stage"] = "lookup"
    name = f"{probe['token']}.{probe['name']}"
    ident = os.urandom(2)
    lines = place.resolver_files[probe["in"]]["resolv.conf"] or ""
    servers = re.findall(r"(?m)^nameserver\s+([\d.]+)\s*$", lines)[:3] or ["127.0.0.1"]
    share = (end - place.clock.now()) / 2
    reason: OSError = TimeoutError("no answer")
    for server in servers * 2:
        until = min(end, place.clock.now() + share)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            try:
                sock.setblocking(False)
                sock.connect((server, 53))
                sock.send(make_dns_query(ident, name))
                place.wait_for(sock, False, until)
                reply = sock.recv(4096)
            except OSError as error:
                reason = error
                continue
        return {"answers": read_dns_answers(reply, ident, name)}
    raise reason


def read_dns_answers(reply: bytes, ident: bytes, name: str) -> list[str]:
    """The IPv4 addresses in a reply to `make_dns_query`, at most 8. Raises OSError when the name was not found."""
    if len(reply) < 12 or reply[:2] != ident or not struct.unpack_from("!H", reply, 6)[0]:
        raise OSError(errno.ENODATA, "the name was not found")
    # The records' ends are at the message's end: type A, class IN, TTL, length 4, address.
    records = reply[12 + len(make_dns_question(name)) :]
    found = re.findall(rb"\x00\x01\x00\x01.{4}\x00\x04(.{4})", records, re.DOTALL)
    return [socket.inet_ntoa(address) for address in found[:8]]


KINDS: dict[str, Perform] = {"icmp": send_echo, "http": request_http, "lookup": look_up}
"""How a probe of each kind is performed; `https` is in agent/tls.py, which loads slowly."""
