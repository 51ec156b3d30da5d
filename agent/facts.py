"""One snapshot of the lab host: what its commands print of kernel state, its files, processes, sockets and namespaces.

Parameters: {"limit": bytes of one command's output, "seconds": for all commands, "world": see find_world, "tools":
checker/facts/observe.ts, "docker": scope or null, "view": pid, "nonce"}. With "docker", the scope of the namespace in
which Docker runs, also the namespaces of its containers, as `docker ID`, and what it noted of them. The answer's shape
is `Raw` in checker/facts/parse.ts.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import time

from agent import files
from agent.fingerprint import take_fingerprint
from agent.integrity import SeatFiles, find_covering_mounts
from agent.legacy import TOOLS as LEGACY_TOOLS
from agent.legacy import has_tables
from agent.namespaces import ROOT_NETNS, list_mounted_netns, list_nsids, read_inode, run_in_each
from agent.processes import WORLD_PROGRAM, Processes, read_boot_id
from agent.settings import read_settings
from agent.sockets import describe_listeners
from agent.system import COMMAND_ENV, decode, die_with_parent, end_process, send_answer
from agent.view import Spaces, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO, Any

    Command = tuple[list[str], str]
    """The words of a command, and what it is given on stdin."""

    Scopes = dict[str, dict[str, "Source"]]
    """Sources by the namespace's name and their own."""

ERROR_BYTES = 65536
MOST_MOUNTS = MOST_ALTERED = 200

IP_BATCH = "addr show\nroute show table all\nrule show\nneigh show\n"
EVERYWHERE: dict[str, Command] = {
    "ip": (["/usr/sbin/ip", "-j", "-d", "-N", "-force", "-batch", "-"], IP_BATCH),
    "nft": (["/usr/sbin/nft", "-j", "list", "ruleset"], ""),
}
# Where nft lists a table: iptables-nft keeps its own there.
WITH_TABLES: dict[str, Command] = {
    "nft-text": (["/usr/sbin/nft", "-a", "list", "ruleset"], ""),
    "iptables-nft": (["/usr/sbin/iptables-nft-save"], ""),
    "ip6tables-nft": (["/usr/sbin/ip6tables-nft-save"], ""),
}
BRIDGE: Command = (["/usr/sbin/bridge", "-j", "-d", "-batch", "-"], "link show\nfdb show\n")
CONNTRACK: Command = (["/usr/sbin/conntrack", "-L", "-o", "extended"], "")


class Source:
    """One command of the seat's, started in the network namespace that this thread is in, read within bounds."""

    def __init__(self, command: Command, limit: int, seconds: float, end: float) -> None:
        argv, given = command
        self.limit, self.seconds, self.end = limit, seconds, end
        self.result: dict[str, Any] = {"code": None, "out": "", "err": "", "cut": False}
        self.kept: dict[IO[bytes], tuple[str, bytearray]] = {}
        self.unread: set[IO[bytes]] = set()
        self.child: subprocess.Popen[bytes] | None = None
        try:
            self.child = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=COMMAND_ENV,
                cwd="/",
            )
        except OSError as error:
            self.result["err"] = str(error)
            return
        assert self.child.stdin and self.child.stdout and self.child.stderr
        self.kept = {self.child.stdout: ("out", bytearray()), self.child.stderr: ("err", bytearray())}
        self.unread = set(self.kept)
        try:
            self.child.stdin.write(given.encode())
            self.child.stdin.close()
        except OSError:
            pass

    def read_more(self, stream: IO[bytes]) -> bool:
        """Reads what is there; False at the stream's end, or when it is more than the limit."""
        name, kept = self.kept[stream]
        data = os.read(stream.fileno(), 65536)
        room = (self.limit if name == "out" else ERROR_BYTES) - len(kept)
        kept += data[:room]
        if len(data) > room:
            self.result["cut"] = True
            if self.child:
                self.child.kill()
        if data and not self.result["cut"]:
            return True
        self.unread.discard(stream)
        return False

    def finish(self) -> None:
        """Waits for the command's end, not beyond the time for all, and fills `result`.

        A command whose output was not read to its end has no code, even if it has ended: something is missing in it.
        """
        if self.child is None:
            return
        try:
            left = 0 if self.result["cut"] or self.unread else self.end - time.monotonic()
            code = self.child.wait(max(0.05, left))
            self.result["code"] = None if self.unread else code
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        if self.result["code"] is None:
            self.result["err"] += f"stopped: too much, or not read within {self.seconds:g} s"
        for name, data in self.kept.values():
            # What was cut is of no use, and there may be much of it.
            self.result[name] = ("" if self.result["cut"] else decode(bytes(data))) + self.result[name]
        for stream in self.kept:
            stream.close()


class Sources:
    """All commands of a snapshot, started at once."""

    def __init__(self, limit: int, seconds: float, docker_scope: str | None) -> None:
        self.limit, self.seconds, self.docker_scope = limit, seconds, docker_scope
        self.end = time.monotonic() + seconds

    def start(self, scope: str) -> dict[str, Source]:
        """Those of the namespace that this thread is in."""
        wanted = dict(EVERYWHERE)
        if scope == "root":
            wanted.update(WITH_TABLES)
            wanted.update(bridge=BRIDGE, conntrack=CONNTRACK)
        if scope == self.docker_scope:
            wanted["bridge"] = BRIDGE
        for prefix, tool in LEGACY_TOOLS.items():
            if has_tables(prefix):
                wanted[tool] = ([f"/usr/sbin/{tool}-save"], "")
        return self._start_all(wanted)

    def start_more(self, sources: Mapping[str, Source]) -> dict[str, Source]:
        """Those that only make sense once nft has listed a table in the namespace that this thread is in."""
        lists_table = "nft" in sources and '"table"' in sources["nft"].result["out"]
        return self._start_all(WITH_TABLES) if lists_table and "nft-text" not in sources else {}

    def _start_all(self, wanted: Mapping[str, Command]) -> dict[str, Source]:
        return {name: Source(command, self.limit, self.seconds, self.end) for name, command in wanted.items()}

    def collect(self, scopes: Scopes) -> None:
        """Reads all of them until they have ended, or the time for all is over."""
        started = [source for sources in scopes.values() for source in sources.values()]
        selector = selectors.DefaultSelector()
        for source in started:
            for stream in source.kept:
                selector.register(stream, selectors.EVENT_READ, source)
        while selector.get_map() and time.monotonic() < self.end:
            for key, _ in selector.select(0.2):
                if not key.data.read_more(key.fileobj):
                    selector.unregister(key.fileobj)
        selector.close()
        for source in started:
            source.finish()


def describe_sockets(spaces: Mapping[str, int], processes: Processes) -> dict[str, list[dict[str, Any]]]:
    """Listening sockets of each namespace, with their owners among the lab host's processes."""
    found = run_in_each(spaces, lambda scope: describe_listeners())
    entries = [entry for scope in found.values() for entry in scope]
    owners = processes.find_socket_owners({entry["inode"] for entry in entries if entry["inode"]})
    for entry in entries:
        entry["pid"], entry["program"] = owners.get(entry.pop("inode"), (None, None))
    return found


def describe_world(view: View, spaces: Spaces) -> dict[str, Any]:
    """The world's process and namespace, the hash of the program that it was started from, and its latest knocks."""
    processes, pid = spaces.processes, spaces.world_pid
    found = {
        "pid": None,
        "inode": None,
        "start": None,
        "sha256": view.ask("digest", WORLD_PROGRAM),
        "authority": view.ask("beginning", "/etc/handwired/world/ca.crt"),
        "knocks": view.ask("knocks"),
    }
    if pid is not None:
        found.update(
            pid=processes.learners_pid(pid),
            inode=read_inode(f"/proc/{pid}/ns/net"),
            start=processes.read_start(pid),
        )
    return found


def describe_host(view: View) -> dict[str, Any]:
    """Which lab host it is, and when."""
    return {
        "name": (view.ask("beginning", "/etc/hostname") or "").strip()[:256],
        "kernel": os.uname().release,
        "clock": time.time(),
        "inode": os.fstat(ROOT_NETNS).st_ino,
        "boot": read_boot_id(),
    }


def take_snapshot(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """All of it. What takes long, the commands and the view's looking at files, goes on side by side."""
    seat_files = SeatFiles(parameters["tools"], parameters["view"])
    view = View(
        parameters["view"],
        {
            "network files": files.describe_network_files,
            "altered": seat_files.find_altered,
            "work": files.read_work,
            "knocks": files.read_knocks,
            "docker": files.read_docker,
        },
    )
    spaces = Spaces(view, parameters["world"])
    containers, opened = view.ask_with_fds("docker") if parameters["docker"] else ([], [])
    spaces.fds.update(("docker " + one["id"], opened[one["fd"]]) for one in containers if one["fd"] is not None)
    before = take_fingerprint(view, spaces.fds)
    sources = Sources(parameters["limit"], parameters["seconds"], parameters["docker"])
    scopes = run_in_each(spaces.fds, sources.start)
    view.begin("network files")
    sysctls = run_in_each(spaces.fds, lambda scope: read_settings())
    sockets = describe_sockets(spaces.fds, spaces.processes)
    processes = spaces.processes.list_elsewhere()
    mounts = [{"path": path, "inode": inode} for path, inode in list_mounted_netns(view.pid)]
    network_files = view.take_answer()[0]
    view.begin("altered")
    sources.collect(scopes)
    later = run_in_each(spaces.fds, lambda scope: sources.start_more(scopes.get(scope, {})) if scope != "world" else {})
    sources.collect(later)
    for scope, more in later.items():
        scopes.get(scope, {}).update(more)
    altered = view.take_answer()[0] + find_covering_mounts(view.pid)
    named = {scope[6:]: fd for scope, fd in spaces.fds.items() if scope.startswith("netns ")}
    return {
        "netns": [
            {"name": entry["name"], "inode": entry["inode"], "nsfs": entry["fd"] is not None} for entry in spaces.names
        ],
        "sysctls": sysctls,
        "sockets": sockets,
        "processes": processes,
        "files": network_files,
        "mounts": mounts[:MOST_MOUNTS],
        "work": view.ask("work"),
        "docker": [{key: one[key] for key in ("id", "config", "resolv", "netns")} for one in containers],
        "host": describe_host(view),
        "altered": [{"path": path[:4096], "what": what[:300]} for path, what in altered[:MOST_ALTERED]],
        "ids": run_in_each(spaces.fds, lambda scope: list_nsids(named)),
        "lab": view.ask("beginning", "/etc/handwired/lab.env"),
        "world": describe_world(view, spaces),
        "steady": {"before": before, "after": take_fingerprint(view, spaces.fds)},
        "sources": {
            scope: {name: source.result for name, source in started.items()} for scope, started in scopes.items()
        },
    }


def main(parameters: Mapping[str, Any]) -> None:
    """Answers with one snapshot."""
    die_with_parent()
    send_answer(take_snapshot(parameters), parameters["nonce"])
    end_process()
