"""What answers in a copy: relays to the original's programs, in one thread, bounded. It ends with this process.

Programs stay in the original: what they listen on is listened on in the copy too, and each connection and datagram is
made again in the original, to the same address and port.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import struct
import threading
import time

from agent.copy_links import CopyError, Netns
from agent.namespaces import enter_netns
from agent.sockets import read_listeners
from agent.traffic import TOKEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    Address = tuple[str, int]
    Listening = tuple[str, str, int, int]
    """(protocol, address, port, index of the link or 0)"""

MOST_CONNECTIONS, MOST_LISTENERS, MOST_SENDERS = 300, 64, 64
MOST_ON_THE_WAY = 1 << 16
MOST_REQUEST, MOST_FIRST_BYTES = 16384, 2048
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
# Options that Python's socket module lacks: linux/in.h, asm-generic/socket.h.
IP_PKTINFO, IP_FREEBIND, SO_BINDTOIFINDEX = 8, 15, 62
# Relays of all copies take turns at the original: many servers have room for few clients, some for one.
TURNS, TURN_SECONDS, DIAL_SECONDS, MOST_DIALS = 2, 0.15, 0.1, 12
PAUSE_SECONDS, WAIT_SECONDS = 0.003, 0.05
FIRST_PORT, PORTS = 61000, 4500
"""Local ports of relays: not among those that the kernel draws, as a probe's packets are known by their ports."""


def list_relayed(space: Netns) -> list[Listening]:
    """What listens in a namespace and takes IPv4. Raises CopyError when it is too much."""
    enter_netns(space.fd)
    found: set[Listening] = set()
    for one in read_listeners():
        if one.family == socket.AF_INET:
            found.add((one.protocol, one.ip, one.port, one.device))
        elif one.both_families:
            found.add((one.protocol, "0.0.0.0", one.port, one.device))
    if len(found) > MOST_LISTENERS:
        raise CopyError(f"more than {MOST_LISTENERS} sockets listen in {space.name}")
    return sorted(found)


class Turns:
    """As many bytes in a pipe that all copies share as may go at once. Whoever waited long goes without one."""

    def __init__(self) -> None:
        self.out, self.back = os.pipe()
        os.set_blocking(self.out, False)
        self.give(TURNS)

    def give(self, count: int = 1) -> None:
        """Gives turns back."""
        os.write(self.back, b"." * count)

    def take(self) -> bool:
        """Takes one, if there is one."""
        try:
            return bool(os.read(self.out, 1))
        except BlockingIOError:
            return False


class Servers(threading.Thread):
    """All that answers in one copy. `relayed`: requests that came to a relay, by the probe's id."""

    def __init__(self, turns: Turns | None, id_of_token: Mapping[bytes, str]) -> None:
        super().__init__(daemon=True)
        self.turns, self.id_of_token = turns, id_of_token
        self.selector: Any = selectors.DefaultSelector()
        self.open = 0
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.relayed: dict[str, dict[str, Any]] = {}
        self.port = FIRST_PORT + os.urandom(1)[0] * 16

    def run(self) -> None:
        """Serves until the process ends."""
        while True:
            for key, events in self.selector.select(PAUSE_SECONDS if self.later else 1):
                self.attempt(key.data, events)
            self.work_due(time.monotonic())

    def call_later(self, seconds: float, work: Callable[[], None]) -> None:
        """Has `work` called in that time."""
        self.later.append((time.monotonic() + seconds, work))

    def work_due(self, now: float) -> None:
        """Does what was put off to `now` or before; what that puts off again waits for its own time."""
        due = [entry for entry in self.later if entry[0] <= now]
        self.later = [entry for entry in self.later if entry[0] > now]
        for _, work in due:
            self.attempt(work)

    def attempt(self, work: Callable[..., None], *args: Any) -> None:
        """Serves one connection. An error in it does not affect the others."""
        try:
            work(*args)
        except Exception:
            pass

    def bind(self, space: Netns, kind: int, address: str, port: int, device: int = 0) -> socket.socket:
        """A socket that listens in a namespace, also on an address that is not there yet. Raises OSError."""
        enter_netns(space.fd)
        sock = socket.socket(socket.AF_INET, kind)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        if kind == socket.SOCK_DGRAM:
            sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        if device:
            sock.setsockopt(socket.SOL_SOCKET, SO_BINDTOIFINDEX, device)
        sock.bind((address, port))
        if kind == socket.SOCK_STREAM:
            sock.listen(128)
        return sock

    def accept_with(self, sock: socket.socket, serve: Callable[[socket.socket, Address], object]) -> None:
        """Calls `serve` with each connection that comes, as far as there are not too many."""

        def accept(_: int) -> None:
            client, peer = sock.accept()
            client.setblocking(False)
            if self.open >= MOST_CONNECTIONS:
                client.close()
                return
            self.open += 1
            serve(client, peer)

        self.selector.register(sock, READ, accept)

    def close(self, *socks: socket.socket) -> None:
        """Ends one connection."""
        for sock in socks:
            try:
                self.selector.unregister(sock)
            except (KeyError, ValueError):
                pass
            sock.close()
        self.open -= 1

    def note_request(self, space: Netns, data: bytes, peer: Address, target: Address) -> None:
        """Notes a probe's request that came to a relay, as `Sight` of checker/evidence/evidence.ts."""
        token = TOKEN.search(data)
        probe = self.id_of_token.get(token.group().lower()) if token else None
        if probe:
            self.relayed[probe] = {
                "probe": probe,
                "in": space.name,
                "device": "relay",
                "way": "in",
                "what": "request",
                "source": peer[0],
                "sourcePort": peer[1],
                "target": target[0],
                "targetPort": target[1],
                "count": 1,
            }


class Answering:
    """A connection whose request is read to its end and answered: the world's site, and its resolvers over TCP."""

    def __init__(self, servers: Servers, client: socket.socket, reply: Callable[[bytes], bytes | None]) -> None:
        self.servers, self.client, self.reply, self.got = servers, client, reply, b""
        servers.selector.register(client, READ, self._read)

    def _read(self, _: int) -> None:
        try:
            data = self.client.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.got += data
        answer = self.reply(self.got)
        if answer:
            self.client.send(answer)
        if answer or not data or len(self.got) > MOST_REQUEST:
            self.servers.close(self.client)


class Relay:
    """A connection taken in the copy and made again in the original, to the same address and port."""

    def __init__(self, servers: Servers, copy: Netns, original: Netns, client: socket.socket, peer: Address) -> None:
        self.servers, self.copy, self.original, self.client = servers, copy, original, client
        self.target, self.peer, self.tries, self.first = client.getsockname(), peer, 0, b""
        self.server: socket.socket
        self.pending: dict[socket.socket, bytes] = {}
        self.ended: set[socket.socket] = set()
        self.has_turn, self.since = False, time.monotonic()
        self._wait()

    def _wait(self) -> None:
        assert self.servers.turns
        self.has_turn = self.servers.turns.take()
        if self.has_turn or time.monotonic() > self.since + TURN_SECONDS:
            self._dial()
        else:
            self.servers.call_later(PAUSE_SECONDS, self._wait)

    def _end(self, *socks: socket.socket) -> None:
        if self.has_turn and self.servers.turns:
            self.servers.turns.give()
            self.has_turn = False
        self.servers.close(*socks)

    def _dial(self) -> None:
        self.tries += 1
        enter_netns(self.original.fd)
        self.server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.server.setblocking(False)
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for _ in range(200):
            self.servers.port = FIRST_PORT + (self.servers.port - FIRST_PORT + 1) % PORTS
            try:
                self.server.bind(("", self.servers.port))
                break
            except OSError:
                continue
        if self.server.connect_ex(self.target) not in (0, errno.EINPROGRESS):
            # Another copy's relay has a connection from this port, or had until now. SO_ERROR does not tell it again.
            self._retry()
            return
        self.servers.selector.register(self.server, WRITE, self._connected)
        number = self.tries
        self.servers.call_later(DIAL_SECONDS, lambda: self._dial_again(number))

    def _dial_again(self, number: int) -> None:
        """Connects again: a full backlog drops the SYN, and the kernel retries only after a second."""
        if number == self.tries and not self.pending and self.tries < MOST_DIALS:
            self.servers.selector.unregister(self.server)
            self.server.close()
            self._dial()

    def _connected(self, _: int) -> None:
        code = self.server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        selector = self.servers.selector
        selector.unregister(self.server)
        if code:
            self._retry()
            return
        self.pending = {self.client: b"", self.server: b""}
        for here, there in ((self.client, self.server), (self.server, self.client)):
            selector.register(here, READ, self._make_pump(here, there))

    def _retry(self) -> None:
        """Connects again a little later: a server that takes one client at a time refuses between two."""
        self.server.close()
        if self.tries < MOST_DIALS:
            self.tries += 1  # `_dial_again` is not for this one any more
            self.servers.call_later(WAIT_SECONDS, self._dial)
        else:
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._end(self.client)

    def _make_pump(self, here: socket.socket, there: socket.socket) -> Callable[[int], None]:
        return lambda events: self._pump(here, there, events)

    def _pump(self, here: socket.socket, there: socket.socket, events: int) -> None:
        try:
            if events & READ:
                data = here.recv(16384)
                self._note(here, data)
                self.pending[there] += data
                if not data:
                    self.ended.add(here)
            for sock in (here, there):
                if self.pending[sock]:
                    self.pending[sock] = self.pending[sock][sock.send(self.pending[sock]) :]
                other = there if sock is here else here
                if other in self.ended and not self.pending[sock]:
                    sock.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:
            self.ended = {here, there}
            self.pending = {here: b"", there: b""}
        if len(self.ended) == 2 and not any(self.pending.values()):
            self._end(self.client, self.server)
            return
        for sock, other in ((here, there), (there, here)):
            wants_more = sock not in self.ended and len(self.pending[other]) < MOST_ON_THE_WAY
            self._watch(sock, other, (READ if wants_more else 0) | (WRITE if self.pending[sock] else 0))

    def _watch(self, sock: socket.socket, other: socket.socket, events: int) -> None:
        selector = self.servers.selector
        known = selector.get_map().get(sock)
        if not events:
            if known:
                selector.unregister(sock)
        elif not known:
            selector.register(sock, events, self._make_pump(sock, other))
        elif known.events != events:
            selector.modify(sock, events, known.data)

    def _note(self, here: socket.socket, data: bytes) -> None:
        if here is self.client and len(self.first) < MOST_FIRST_BYTES:
            self.first += data
            self.servers.note_request(self.copy, self.first, self.peer, self.target)


class DatagramRelay:
    """Datagrams to a socket of the copy, sent on in the original by a socket for each sender, and the answers back."""

    def __init__(self, servers: Servers, copy: Netns, original: Netns, sock: socket.socket) -> None:
        self.servers, self.copy, self.original, self.sock = servers, copy, original, sock
        self.socks: dict[tuple[Address, str], socket.socket] = {}
        servers.selector.register(sock, READ, self._take)

    def _take(self, _: int) -> None:
        data, ancillary, _, peer = self.sock.recvmsg(4096, 256)
        info = next(value for level, kind, value in ancillary if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO))
        address, port = socket.inet_ntoa(info[8:12]), self.sock.getsockname()[1]
        self.servers.note_request(self.copy, data, peer, (address, port))
        sender = (peer, address)
        if sender not in self.socks:
            if len(self.socks) >= MOST_SENDERS:
                return
            enter_netns(self.original.fd)
            there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            there.setblocking(False)
            there.connect((address, port))
            self.socks[sender] = there
            self.servers.selector.register(there, READ, lambda _: self._give_back(there, peer, address))
        self.socks[sender].send(data)

    def _give_back(self, there: socket.socket, peer: Address, address: str) -> None:
        data = there.recv(4096)
        info = struct.pack("=i4s4s", 0, socket.inet_aton(address), b"\0" * 4)
        self.sock.sendmsg([data], [(socket.IPPROTO_IP, IP_PKTINFO, info)], 0, peer)


def start_relays(servers: Servers, found: Iterable[Listening], copy: Netns, original: Netns) -> list[str]:
    """Listens in the copy wherever something listens in the original; what could not be is returned, in words."""
    missing = []
    for protocol, address, port, device in found:
        kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
        try:
            sock = servers.bind(copy, kind, address, port, device)
        except OSError as error:
            missing.append(f"{copy.name}: nothing can listen on {protocol} {address}:{port} ({error.strerror})")
            continue
        if protocol == "tcp":
            servers.accept_with(sock, lambda client, peer: Relay(servers, copy, original, client, peer))
        else:
            DatagramRelay(servers, copy, original, sock)
    return missing
