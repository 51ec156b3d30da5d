"""Prints each packet that passes some places, live, until nobody reads the output or the time is over.

Parameters: {"at": [[space, device], ...], "filter": tcpdump's expression or "", "snap": bytes kept of a packet,
"seconds": number or null, "world": see find_world, "view": pid, "nonce"}; a space is "root" or a name of /run/netns.
Every line is the nonce and JSON: {"ready": true} first, or {"trouble": "filter" or "place", ...} last; then [place,
"SECONDS.NANOSECONDS", "in" or "out", length, matches, base64], {"down": place}, and {"end": [drops of each place]}.
checker/packets/capture.ts reads them.
"""

from __future__ import annotations

import base64
import collections
import ctypes
import select
import socket
import struct
import subprocess
import time

from agent.namespaces import ROOT_NETNS, enter_netns, run_in_each, shorten_names
from agent.packets import PACKET_OUTGOING, bind_packet_socket, open_packet_socket, read_drops, read_stamp
from agent.system import COMMAND_ENV, decode, die_with_parent, end_process, flush_lines, send_line
from agent.view import Spaces, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    Say = Callable[[Any], None]

NO_PACKETS = struct.pack("=IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
"""An empty capture of Ethernet frames, pcap-savefile(5): tcpdump compiles for it without opening a link."""

SO_ATTACH_FILTER = 26
MOST_INSTRUCTIONS = 4096  # BPF_MAXINSNS
MOST_HELD, MOST_DEVICES = 4000, 200
HOLD_SECONDS = 0.05
"""A packet is held this long. Within it the filter's own socket must report whether the packet matches."""

STDOUT = 1


def compile_filter(expression: str) -> tuple[bytes | None, str | None]:
    """(the instructions of a filter, None), or (None, tcpdump's words) where it is none."""
    done = subprocess.run(
        ["/usr/bin/tcpdump", "-ddd", "-r", "-", "--", expression],
        input=NO_PACKETS,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=COMMAND_ENV,
        cwd="/",
        timeout=10,
    )
    lines = decode(done.stdout).splitlines()[1:]
    if done.returncode or not lines:
        said = [line for line in decode(done.stderr).splitlines() if line.startswith("tcpdump: ")]
        return None, (said[-1][9:] if said else "tcpdump does not know it")[:300]
    return b"".join(struct.pack("=HBBI", *map(int, line.split())) for line in lines[:MOST_INSTRUCTIONS]), None


def attach_filter(sock: socket.socket, instructions: bytes) -> None:
    """Has a socket see only what a filter matches: struct sock_fprog."""
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    program = struct.pack("@HP", len(instructions) // 8, ctypes.addressof(buffer))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


class Tap:
    """One packet socket at one link of the network namespace that this thread is in."""

    def __init__(self, device: str, instructions: bytes | None, snap: int) -> None:
        self.snap = snap
        self.sock = open_packet_socket(socket.SOCK_RAW, buffer=8 << 20, sees_nothing_yet=True)
        if instructions:
            attach_filter(self.sock, instructions)
        bind_packet_socket(self.sock, device)

    def take(self) -> Iterator[tuple[str, str, int, bytes]]:
        """(time, way, whole length, bytes) of each packet that is there. Raises OSError when its link is gone."""
        for _ in range(1000):
            try:
                data, ancillary, _, (_, _, kind, _, _) = self.sock.recvmsg(1 << 17, 64)
            except BlockingIOError:
                return
            way = "out" if kind == PACKET_OUTGOING else "in"
            yield "{}.{:09}".format(*read_stamp(ancillary)), way, len(data), data[: self.snap]


class Place:
    """Where packets are captured: one tap for all that passes and, with a filter, one more for what matches it."""

    def __init__(self, number: int, device: str, instructions: bytes | None, snap: int) -> None:
        self.number = number
        self.all = Tap(device, None, snap)
        self.matching = Tap(device, instructions, snap) if instructions else None
        self.held: collections.deque[tuple[str, str, int, bytes]] = collections.deque()
        self.matched: collections.Counter[tuple[str, int, bytes]] = collections.Counter()

    def list_socks(self) -> list[socket.socket]:
        """What to wait for."""
        return [self.all.sock] + ([self.matching.sock] if self.matching else [])

    def take(self) -> None:
        """Reads what is there. Raises OSError when the link is gone."""
        for entry in self.all.take():
            if len(self.held) < MOST_HELD:
                self.held.append(entry)
        if self.matching:
            for _, way, length, data in self.matching.take():
                # Without its time: the kernel may stamp a packet for each socket separately.
                self.matched[way, length, data] += 1

    def say_until(self, moment: float, say: Say) -> None:
        """Prints the packets from before that moment."""
        while self.held and float(self.held[0][0]) < moment:
            stamp, way, length, data = self.held.popleft()
            key = (way, length, data)
            matches = self.matching is None or self.matched[key] > 0
            self.matched[key] -= 1
            if self.matched[key] < 1:
                del self.matched[key]
            say([self.number, stamp, way, length, matches, base64.b64encode(data).decode()])
        if len(self.matched) > MOST_HELD:
            self.matched.clear()


def open_places(
    spaces: Mapping[str, int], parameters: Mapping[str, Any], instructions: bytes | None, say: Say
) -> list[Place] | None:
    """All requested places. When one does not exist, prints that and gives None."""
    known = run_in_each(spaces, lambda name: [device for _, device in socket.if_nameindex()][:MOST_DEVICES])
    for space, device in parameters["at"]:
        if device not in known.get(space, []):
            say({"trouble": "place", "place": [space, device], "known": known})
            return None
    places = []
    for number, (space, device) in enumerate(parameters["at"]):
        enter_netns(spaces[space])
        try:
            places.append(Place(number, device, instructions, parameters["snap"]))
        finally:
            enter_netns(ROOT_NETNS)
    return places


def say_packets(places: Sequence[Place], seconds: float | None, say: Say) -> None:
    """Prints packets until the time is over or nobody reads any more."""
    poll, owners, gone = select.poll(), {}, set()
    poll.register(STDOUT, 0)  # POLLERR or POLLHUP: nobody reads any more
    for place in places:
        for sock in place.list_socks():
            poll.register(sock.fileno(), select.POLLIN)
            owners[sock.fileno()] = place
    end = time.monotonic() + seconds if seconds else None
    while end is None or time.monotonic() < end:
        wait = HOLD_SECONDS if any(place.held for place in places) else 0.5
        if end is not None:
            wait = min(wait, max(0, end - time.monotonic()))
        for fd, _ in poll.poll(1000 * wait):
            if fd == STDOUT:
                return
            place = owners[fd]
            try:
                place.take()
            except OSError:
                # ENETDOWN: the link went down, or away. It is told once; a link that comes up again goes on.
                if place.number not in gone:
                    gone.add(place.number)
                    say({"down": place.number})
        flush_places(places, time.time() - HOLD_SECONDS, say)
    flush_places(places, float("inf"), say)
    say({"end": [read_drops(place.all.sock) for place in places]})


def flush_places(places: Sequence[Place], moment: float, say: Say) -> None:
    """Prints the packets that all places held until that moment."""
    for place in places:
        place.say_until(moment, say)
    flush_lines()


def main(parameters: Mapping[str, Any]) -> None:
    """Opens all places, and reads them until it is enough."""
    die_with_parent()
    spaces = shorten_names(Spaces(View(parameters["view"]), parameters["world"]).fds)
    spaces.pop("world", None)

    def say(message: Any) -> None:
        send_line(message, parameters["nonce"])

    instructions, refused = compile_filter(parameters["filter"]) if parameters["filter"] else (None, None)
    if refused:
        say({"trouble": "filter", "said": refused})
    else:
        places = open_places(spaces, parameters, instructions, say)
        if places is not None:
            say({"ready": True})
            flush_lines()
            say_packets(places, parameters["seconds"], say)
    end_process()
