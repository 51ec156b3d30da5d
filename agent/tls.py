"""HTTPS by name. It is loaded only when a probe needs it: Python's `ssl` takes longer to load than all the rest."""

from __future__ import annotations

import ssl

from agent.packets import find_client_random
from agent.traffic import Place, connect, look_up, request_page

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import TypeVar

    from agent.traffic import Perform, Probe, Result

    Done = TypeVar("Done")


class TlsStream:
    """TLS over a socket, record by record, so that the ClientHello's random is known before it is sent."""

    def __init__(self, place: Place, context: ssl.SSLContext, sock: socket.socket, name: str) -> None:
        self.place, self.sock = place, sock
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)
        self.unsent = b""

    def prepare_hello(self) -> bytes:
        """Makes the ClientHello and gives its random. `handshake` sends it."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            self.unsent = self.outgoing.read()
        return find_client_random(self.unsent) or b""

    def handshake(self, end: float) -> None:
        """Comes to terms with the server, and checks its certificate."""
        self._carry(self.tls.do_handshake, end)

    def sendall(self, data: bytes) -> None:
        """Sends a few bytes."""
        self.tls.write(data)
        self._flush()

    def receive(self, end: float) -> bytes:
        """What comes next; empty at the end."""
        try:
            return self._carry(lambda: self.tls.read(4096), end)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""

    def _carry(self, work: Callable[[], Done], end: float) -> Done:
        """Does `work` on the TLS side, and carries records to and fro until it is done."""
        while True:
            try:
                done = work()
                self._flush()
                return done
            except ssl.SSLWantReadError:
                self._flush()
                data = self.place.receive(self.sock, end)
                if data:
                    self.incoming.write(data)
                else:
                    self.incoming.write_eof()

    def _flush(self) -> None:
        data, self.unsent = self.unsent + self.outgoing.read(), b""
        if data:
            self.sock.sendall(data)


def make_request(authority: str | None) -> Perform:
    """How a probe of kind `https` is performed. `authority`: PEM of who signs the world's certificates."""

    def request_https(place: Place, probe: Probe, result: Result, end: float) -> Result:
        """By name. Each stage has the time of an experiment: what goes on, however slowly, is no silence."""
        found = look_up(place, probe, result, end)
        context = ssl.create_default_context(cadata=authority or None)  # slow: not while a server waits for us
        end = place.clock.now() + place.waits.seconds
        sock = connect(place, probe, result, (found["answers"][0], 443), end)
        result["stage"] = "tls"
        stream = TlsStream(place, context, sock, probe["name"])
        random = stream.prepare_hello()
        with place.lock:
            place.id_of_random[random] = probe["id"]
        stream.handshake(end)
        page = request_page(place, stream, probe, result, place.clock.now() + place.waits.seconds)
        return {**found, **page}

    return request_https
