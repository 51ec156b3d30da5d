"""Network namespaces of the lab host: entered, found by name or by mount, and numbered."""

from __future__ import annotations

import fcntl
import os
import re
import stat
import struct

from agent.netlink import (
    NETNSA_FD,
    NETNSA_NSID,
    RTM_GETNSID,
    Netlink,
    first_attributes,
    pack_attributes,
)
from agent.system import CLONE_NEWNET, list_folder, read_text, set_namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    Result = TypeVar("Result")

NS_GET_NSTYPE = 0xB703  # ioctl_ns(2)
RUN_NETNS = "/run/netns"
MOST_NAMES, MOST_NAMESPACES = 64, 12
NO_NSID = b"\xff" * 4  # NETNSA_NSID_NOT_ASSIGNED, -1

ROOT_NETNS = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
"""The lab host's own network namespace, in which the program was started."""


def enter_netns(fd: int) -> None:
    """Moves this thread, and no other, into a network namespace."""
    set_namespace(fd, CLONE_NEWNET)


def run_in_each(spaces: Mapping[str, int], work: Callable[[str], Result]) -> dict[str, Result]:
    """What `work(name)` gives in each namespace (file descriptors by name).

    A namespace that can't be entered, or in which `work` raises OSError, is left out.
    """
    results = {}
    for name, fd in spaces.items():
        try:
            enter_netns(fd)
            results[name] = work(name)
        except OSError:
            continue
        finally:
            enter_netns(ROOT_NETNS)
    return results


def read_inode(link: str) -> int | None:
    """The inode of the namespace that a link such as /proc/1/ns/net names; None when it can't be read."""
    try:
        match = re.search(r"\[(\d+)\]$", os.readlink(link))
    except OSError:
        return None
    return int(match[1]) if match else None


def open_netns(path: str) -> int | None:
    """A file descriptor of the network namespace that is mounted on a file; None when none is."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if fcntl.ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET:
            return fd
    except OSError:
        pass
    os.close(fd)
    return None


def list_named(fds: list[int]) -> list[dict[str, Any]]:
    """[{"name", "inode", "fd"}] of everything in /run/netns. Called in the view.

    `fd` is the index in `fds` of its file descriptor, None when it is no network namespace.
    """
    found = []
    for name in sorted(list_folder(RUN_NETNS))[:MOST_NAMES]:
        path = f"{RUN_NETNS}/{name}"
        entry: dict[str, Any] = {"name": name, "inode": None, "fd": None}
        found.append(entry)
        try:
            entry["inode"] = os.stat(path).st_ino
        except OSError:
            continue
        fd = open_netns(path)
        if fd is not None:
            entry["fd"] = len(fds)
            fds.append(fd)
    return found


def list_mounts(view_pid: int) -> list[tuple[str, str, str]]:
    """(mount point, root in its file system, type) of each mount of a process: proc(5) mountinfo."""
    found = []
    for line in (read_text(f"/proc/{view_pid}/mountinfo", 1 << 21) or "").splitlines():
        fields = [re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), word) for word in line.split(" ")]
        found.append((fields[4], fields[3], fields[fields.index("-") + 1]))
    return found


def list_mounted_netns(view_pid: int) -> list[tuple[str, int]]:
    """(path, inode) of each network namespace that is kept by a mount."""
    found = [(point, re.match(r"net:\[(\d+)\]$", root)) for point, root, _ in list_mounts(view_pid)]
    return [(point, int(match[1])) for point, match in found if match]


def choose_spaces(names: list[dict[str, Any]], fds: list[int], world_pid: int | None) -> dict[str, int]:
    """File descriptors of all namespaces of the lab host: by `root`, `netns NAME` and `world`.

    `names` and `fds` are what `list_named` found in the view.
    """
    own, spaces = os.fstat(ROOT_NETNS).st_ino, {"root": ROOT_NETNS}
    others = [entry for entry in names if entry["fd"] is not None and entry["inode"] != own]
    for entry in others[:MOST_NAMESPACES]:
        spaces["netns " + entry["name"]] = fds[entry["fd"]]
    if world_pid is not None:
        spaces["world"] = os.open(f"/proc/{world_pid}/ns/net", os.O_RDONLY)
    return spaces


def shorten_names(spaces: Mapping[str, int]) -> dict[str, int]:
    """The same by the names that probes and captures have: `NAME` for `netns NAME`."""
    return {name[6:] if name.startswith("netns ") else name: fd for name, fd in spaces.items()}


def read_nsid(link: Netlink, fd: int) -> int | None:
    """The number by which a link's namespace knows another; None when it has none for it. RTM_GETNSID."""
    for payload in link.request(RTM_GETNSID, b"\0" * 4 + pack_attributes((NETNSA_FD, fd))):
        number = unpack_nsid(payload)
        return None if number < 0 else number
    return None


def unpack_nsid(payload: bytes) -> int:
    """The number in an RTM_NEWNSID; below 0 for none."""
    return int(struct.unpack("=i", first_attributes(payload[4:]).get(NETNSA_NSID, NO_NSID))[0])


def list_nsids(named: Mapping[str, int]) -> list[dict[str, Any]]:
    """[{"nsid", "name"}] of the numbers that the namespace of this thread has; `named`: file descriptors by name."""
    link = Netlink()
    found: dict[int, str | None] = {}
    for payload in link.dump(RTM_GETNSID, b"\0" * 4):
        number = unpack_nsid(payload)
        if number >= 0:
            found[number] = None
    for name, fd in named.items():
        known = read_nsid(link, fd)
        if known is not None:
            found[known] = name
    link.close()
    return [{"nsid": nsid, "name": name} for nsid, name in sorted(found.items())]
