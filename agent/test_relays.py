"""What answers in a copy goes on, whatever comes."""

import socket
import time
import unittest
from typing import Any
from unittest import mock

from agent.relays import Relay, Servers, Turns


class Rounds:
    """A selector that gives the same events in each round, and ends the thread after 100 rounds."""

    def __init__(self, ready: "list[Any]") -> None:
        self.ready, self.left = ready, 100

    def select(self, seconds: float) -> "list[Any]":
        """One round."""
        self.left -= 1
        if self.left == 0:
            raise SystemExit
        return self.ready


class Clock:
    """A clock that goes on by one each time that it is asked."""

    def __init__(self) -> None:
        self.now = 0

    def monotonic(self) -> int:
        """The next second."""
        self.now += 1
        return self.now


def run(servers: Servers, ready: "list[Any]") -> None:
    """Serves for 100 rounds of a made-up clock."""
    servers.selector = Rounds(ready)
    with mock.patch.object(time, "monotonic", Clock().monotonic):
        try:
            servers.run()
        except SystemExit:
            pass


class Key:
    """What a selector gives for a socket."""

    def __init__(self, data: Any) -> None:
        self.data = data


class Serving(unittest.TestCase):
    """The thread that serves."""

    def setUp(self) -> None:
        """Makes servers without turns."""
        self.servers = Servers(None, {})
        self.done: list[Any] = []

    def test_all_that_is_put_off_is_done(self) -> None:
        """Whenever its time comes, and also what is put off while something is done."""

        def put_off(when: int) -> None:
            self.servers.later.append((when, lambda: self.done.append(when)))

        for when in range(0, 60, 3):
            put_off(when)
        self.servers.later.append((5, lambda: self.servers.later.append((10, lambda: self.done.append("again")))))
        run(self.servers, [])
        self.assertEqual(sorted(self.done, key=str), sorted([*range(0, 60, 3), "again"], key=str))

    def test_one_connections_trouble_is_its_own(self) -> None:
        """Whatever goes wrong with one, the others are served."""

        def break_down(*_: Any) -> None:
            raise KeyError("a socket that nobody waits for")

        self.servers.later = [(1, break_down), (2, lambda: self.done.append("later"))]
        run(self.servers, [(Key(break_down), 1), (Key(self.done.append), 7)])
        self.assertEqual(set(self.done), {7, "later"})


class TurnsOfCopies(unittest.TestCase):
    """Few connections at a time."""

    def test_turns_are_few_and_come_back(self) -> None:
        """Two may go at once; a third when one is back."""
        turns = Turns()
        self.assertEqual([turns.take() for _ in range(3)], [True, True, False])
        turns.give()
        self.assertEqual([turns.take() for _ in range(2)], [True, False])


class Dialling(unittest.TestCase):
    """The connection to the original."""

    def test_a_port_that_another_copy_uses_is_no_connection(self) -> None:
        """Two relays may bind the same port; only one can connect from it to the same server."""
        ours, theirs = socket.socketpair()
        client: Any = mock.Mock(wraps=ours)
        listening, other = socket.create_server(("127.0.0.1", 0)), socket.socket()
        with ours, theirs, listening, other, mock.patch("agent.relays.enter_netns"):
            client.getsockname.return_value = listening.getsockname()
            servers = Servers(Turns(), {})
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("", servers.port + 1))
            other.connect(listening.getsockname())
            relay = Relay(servers, mock.Mock(), mock.Mock(), client, ("127.0.0.1", 1))

            def serve(seconds: float) -> None:
                for key, events in servers.selector.select(seconds):
                    key.data(events)

            serve(0)
            self.assertEqual(relay.pending, {})
            servers.work_due(time.monotonic() + 1)
            serve(5)
            self.assertIn(relay.server, relay.pending)
            relay.server.close()


class Requests(unittest.TestCase):
    """Requests that came to a relay."""

    def test_a_probes_request_is_noted_by_its_token(self) -> None:
        """Whatever its case; anybody else's is not."""
        token = "hw" + "0a" * 9
        servers = Servers(None, {token.encode(): "ct1>site"})
        space: Any = mock.Mock()
        space.name = "ct1"
        servers.note_request(space, f"GET /{token.upper()}".encode(), ("10.0.0.1", 1), ("10.0.0.2", 80))
        servers.note_request(space, b"GET /hw", ("10.0.0.1", 1), ("10.0.0.2", 80))
        self.assertEqual([sight["target"] for sight in servers.relayed.values()], ["10.0.0.2"])
