"""What the learner sees: a child looks at files, mounts and names in the lab host's own mount namespace."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import struct
import sys
import time

from agent import files
from agent.namespaces import choose_spaces, list_named
from agent.processes import Processes, find_world
from agent.system import CLONE_NEWNS, die_with_parent, hash_bytes, set_namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Sight = Callable[..., Any]
    """A function that the child calls: with a list to which it adds file descriptors, and the words of the question."""

WORLD_PID_FILE = "/run/handwired/world.pid"
VIEW_SECONDS, VIEW_BYTES, MOST_FDS = 6.0, 16 << 20, 200

SIGHTS: dict[str, Sight] = {
    "named": list_named,
    "resolver files": files.read_resolver_files,
    "beginning": files.read_beginning,
    "digest": files.digest_file,
    "names": files.digest_names,
}
"""What every program's view can be asked for."""


class View:
    """A child that moves into the lab host's mount namespace and does nothing there but system calls.

    No program, library or module of there is run: all that the child needs was loaded before. It can be made to wait
    for ever, by a FUSE mount: then it is killed, and what was asked of it is an OSError.

    `pid`: a process of the lab host as the seat numbers it; 0: there is no seat, and our own root is the learner's.
    """

    def __init__(self, pid: int, sights: Mapping[str, Sight] | None = None) -> None:
        hash_bytes(b"")  # OpenSSL reads its configuration at first use: now, here
        self.pid = pid or os.getpid()
        self.sights = {**SIGHTS, **(sights or {})}
        self.sock, theirs = socket.socketpair()
        self.end = time.monotonic() + VIEW_SECONDS
        self.child = os.fork()
        if self.child == 0:
            try:
                self.sock.close()
                self._serve(theirs, pid)
            finally:
                os._exit(1)
        theirs.close()

    def _serve(self, sock: socket.socket, pid: int) -> None:
        """The child's life: a line of JSON [name, words] comes; length, file descriptors and JSON go back."""
        die_with_parent()
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        if pid:
            set_namespace(os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY), CLONE_NEWNS)
        sys.path.clear()
        sys.meta_path.clear()
        for line in sock.makefile("rb"):
            name, words = json.loads(line)
            fds: list[int] = []
            body = json.dumps(self.sights[name](fds, *words)).encode()
            socket.send_fds(sock, [struct.pack("!I", len(body))], fds[:MOST_FDS])
            sock.sendall(body)
            for fd in fds:
                os.close(fd)

    def begin(self, name: str, *words: Any) -> None:
        """Asks for a sight without waiting. `take_answer` waits for it."""
        self.end = time.monotonic() + VIEW_SECONDS
        try:
            self.sock.sendall(json.dumps([name, words]).encode() + b"\n")
        except OSError:
            pass  # `take_answer` says so

    def take_answer(self) -> tuple[Any, list[int]]:
        """The answer to what was begun first and not taken yet, with its file descriptors.

        Raises OSError without one.
        """
        try:
            self.sock.settimeout(max(0.05, self.end - time.monotonic()))
            head, fds, _, _ = socket.recv_fds(self.sock, 4, MOST_FDS)
            length = struct.unpack("!I", head)[0]
            body = bytearray()
            while len(body) < length <= VIEW_BYTES:
                self.sock.settimeout(max(0.05, self.end - time.monotonic()))
                more = self.sock.recv(min(1 << 20, length - len(body)))
                if not more:
                    raise OSError(errno.EPIPE, "it ended")
                body += more
            return json.loads(body), fds
        except (OSError, struct.error, ValueError) as error:
            os.kill(self.child, signal.SIGKILL)
            raise OSError(errno.EIO, f"the lab host's files could not be looked at ({error})") from error

    def ask(self, name: str, *words: Any) -> Any:
        """A sight's answer."""
        return self.ask_with_fds(name, *words)[0]

    def ask_with_fds(self, name: str, *words: Any) -> tuple[Any, list[int]]:
        """A sight's answer and the file descriptors that came with it."""
        self.begin(name, *words)
        return self.take_answer()


class Spaces:
    """Every namespace of the lab host when this was made, and the processes that were there.

    `fds`: file descriptors by `root`, `netns NAME` and `world`. `names`: what /run/netns has. `world_pid`: see
    find_world.
    """

    def __init__(self, view: View, known_world: Mapping[str, Any] | None) -> None:
        self.processes = Processes(view.pid)
        self.names, opened = view.ask_with_fds("named")

        def read_noted() -> str:
            return str(view.ask("beginning", WORLD_PID_FILE) or "").strip()

        self.world_pid = find_world(self.processes, known_world, read_noted)
        self.fds = choose_spaces(self.names, opened, self.world_pid)
