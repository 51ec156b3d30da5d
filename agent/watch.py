"""Prints a line when it listens, and one per batch of changes of the lab host's network, until nobody reads it.

Parameters: {"quiet": seconds without an event that end a batch, "most": seconds that a batch may take, "tick": seconds
between looks at what has no events, "view": pid, "nonce"}. A line is the nonce and a JSON list of what the changes were
about. checker/packets/watch.ts reads them.
"""

from __future__ import annotations

import errno
import json
import select
import time

from agent import files
from agent import netlink as nl
from agent.fingerprint import is_own_route
from agent.legacy import read_entries
from agent.namespaces import ROOT_NETNS, run_in_each
from agent.processes import Processes
from agent.settings import read_settings
from agent.sockets import list_open_ports
from agent.system import close_all, die_with_parent, end_process, flush_lines, hash_bytes, send_line
from agent.view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from typing import Any

ROUTE_GROUPS = (
    nl.GROUP_LINK
    | nl.GROUP_IPV4_ADDRESS
    | nl.GROUP_IPV4_ROUTE
    | nl.GROUP_IPV4_RULE
    | nl.GROUP_IPV6_ADDRESS
    | nl.GROUP_IPV6_ROUTE
    | nl.GROUP_IPV6_RULE
    | nl.GROUP_IPV4_NETCONF
    | nl.GROUP_IPV6_NETCONF
    | nl.GROUP_NSID
)
STDOUT = 1


def comes_by_itself(kind: int, body: bytes) -> bool:
    """Whether an event is about what the fingerprint leaves out too.

    That is link-local IPv6, which comes a second or two after its link, and the kernel's own routes.
    """
    if kind in (nl.RTM_NEWADDR, nl.RTM_DELADDR) and len(body) >= 8:
        return body[0] == nl.AF_INET6 and body[3] == nl.RT_SCOPE_LINK
    if kind in (nl.RTM_NEWROUTE, nl.RTM_DELROUTE) and len(body) >= 12:
        return is_own_route(body)
    return False


def drain(sock: socket.socket, is_route: bool) -> bool:
    """Reads all events that there are. Gives whether one of them was a change."""
    changed = False
    try:
        while True:
            messages = nl.read_messages(sock.recv(1 << 17))
            changed = changed or not is_route or not all(comes_by_itself(kind, body) for kind, _, _, body in messages)
    except OSError as error:
        return changed or error.errno != errno.EAGAIN  # ENOBUFS: there was more than could be kept


def hash_eventless(view: View) -> str:
    """A hash of what changes without an event: settings, listeners, processes, names, legacy rules, what is handed in.

    Namespaces are let go of at once: one that is held can't be deleted.
    """
    names, fds = view.ask_with_fds("named")
    spaces = {"root": ROOT_NETNS, **{one["name"]: fds[one["fd"]] for one in names if one["fd"] is not None}}
    try:
        inside = run_in_each(spaces, lambda name: [read_settings(), list(read_entries()), sorted(list_open_ports())])
    finally:
        close_all(fds)
    found = [
        inside,
        sorted(one["name"] for one in names),
        {name: view.ask("resolver files", name) for name in spaces},
        sorted(process["pid"] for process in Processes(view.pid).list_elsewhere()),
        view.ask("handed in"),
    ]
    return hash_bytes(json.dumps(found, sort_keys=True, default=repr).encode())


class Batch:
    """Changes that come soon after one another."""

    def __init__(self, quiet: float, most: float) -> None:
        self.quiet, self.most = quiet, most
        self.subjects: set[str] = set()
        self.first = self.last = 0.0

    def add(self, subject: str) -> None:
        """Adds what a change was about."""
        self.last = time.monotonic()
        if not self.subjects:
            self.first = self.last
        self.subjects.add(subject)

    def find_end(self) -> float | None:
        """When it is over; None: nothing has changed."""
        return min(self.last + self.quiet, self.first + self.most) if self.subjects else None


def say_changes(parameters: Mapping[str, Any]) -> None:
    """Goes on until nobody reads."""
    view, poll = View(parameters["view"], {"handed in": files.stat_work}), select.poll()
    routes = nl.open_events(nl.NETLINK_ROUTE, ROUTE_GROUPS, every_namespace=True)
    rules = nl.open_events(nl.NETLINK_NETFILTER, nl.GROUP_NFTABLES, every_namespace=True)
    subjects = {routes.fileno(): "links", rules.fileno(): "nftables"}
    for fd in subjects:
        poll.register(fd, select.POLLIN)
    mounts = open(f"/proc/{view.pid}/mountinfo")  # noqa: SIM115 (a change of the mounts is POLLERR and POLLPRI: proc(5))
    poll.register(mounts.fileno(), select.POLLERR | select.POLLPRI)
    poll.register(STDOUT, 0)  # POLLERR or POLLHUP: nobody reads any more

    def say(what: list[str]) -> None:
        send_line(sorted(what), parameters["nonce"])
        flush_lines()

    before = hash_eventless(view)
    say(["ready"])
    batch = Batch(parameters["quiet"], parameters["most"])
    tick = time.monotonic() + parameters["tick"]
    while True:
        for fd, _ in poll.poll(max(0, (batch.find_end() or tick) - time.monotonic()) * 1000):
            if fd == STDOUT:
                return
            if fd == mounts.fileno() or drain(routes if fd == routes.fileno() else rules, fd == routes.fileno()):
                batch.add(subjects.get(fd, "mounts"))
        now, end = time.monotonic(), batch.find_end()
        if end is not None and now >= end:
            say(list(batch.subjects))
            batch = Batch(parameters["quiet"], parameters["most"])
            before, tick = hash_eventless(view), now + parameters["tick"]
        elif end is None and now >= tick:
            after = hash_eventless(view)
            if after != before:
                say(["settings or processes"])
            before, tick = after, time.monotonic() + parameters["tick"]


def main(parameters: Mapping[str, Any]) -> None:
    """Watches until nobody reads."""
    die_with_parent()
    say_changes(parameters)
    end_process()
