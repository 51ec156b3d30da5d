"""Files of the lab host as the learner sees them. All of these functions are called in the view's child.

Each takes first the list of file descriptors that go back with the answer.
"""

from __future__ import annotations

import base64
import os
import re
import stat

from agent.namespaces import list_named, open_netns
from agent.system import close_all, decode, hash_bytes, list_folder, read_file, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NETWORK_FILES = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/sysctl.conf",
    "/etc/nftables.conf",
    "/etc/dnsmasq.conf",
    "/etc/network/interfaces",
]
NETWORK_FOLDERS = [
    "/etc/netns",
    "/etc/sysctl.d",
    "/etc/systemd/network",
    "/etc/systemd/resolved.conf.d",
    "/etc/dnsmasq.d",
    "/etc/network/interfaces.d",
    "/etc/iptables",
]
MOST_NETWORK_FILES = 300
RESOLVER_FILES = ("resolv.conf", "hosts", "nsswitch.conf", "host.conf", "gai.conf")
"""What the C library reads to look a name up, in /etc."""

ANSWERS, CAPTURES = "/root/answers", "/root/captures"
CAPTURE_ENDINGS = (".pcap", ".pcapng", ".cap")
MOST_ANSWERS, MOST_CAPTURES = 16, 8
ANSWER_BYTES, CAPTURE_BYTES = 8 << 10, 256 << 10
WORLD_LOG, LOG_TAIL, MOST_KNOCKS = "/run/handwired/world.log", 256 << 10, 200

DOCKER_CONTAINERS, MOST_CONTAINERS = "/var/lib/docker/containers", 8
SANDBOX_KEY = re.compile(rb'"SandboxKey":"(?:/var)?(/run/docker/netns/[0-9a-f]{12})"')


def read_beginning(fds: list[int], path: str) -> str | None:
    """The first 64 KiB of one file."""
    return read_text(path, 1 << 16)


def digest_file(fds: list[int], path: str) -> str | None:
    """The SHA-256 of one file's first MiB."""
    data = read_file(path)
    return None if data is None else hash_bytes(data)


def read_resolver_files(fds: list[int], name: str) -> dict[str, str | None]:
    """{file: text} of RESOLVER_FILES under `ip netns exec NAME`, which binds what is in /etc/netns too: ip-netns(8)."""
    found = {}
    for file in RESOLVER_FILES:
        found[file] = read_text("/etc/" + file, 1 << 18)
        if name != "root" and os.path.exists("/etc/" + file):
            own = read_text(f"/etc/netns/{name}/{file}", 1 << 18)
            found[file] = found[file] if own is None else own
    return found


def digest_names(fds: list[int], names: list[str]) -> tuple[list[tuple[str, int | None]], str]:
    """What /run/netns has, and a hash of the resolver files of the lab host and of these namespaces."""
    opened: list[int] = []
    found = [(entry["name"], entry["inode"]) for entry in list_named(opened)]
    close_all(opened)
    held = [[name, sorted(read_resolver_files([], name).items(), key=str)] for name in ["root", *names]]
    return found, hash_bytes(repr(held).encode())


def describe_file(path: str) -> dict[str, Any]:
    """A file by what it is and what it holds; a symlink by its target and by the file at the end of it."""
    about: dict[str, Any] = {"path": path, "kind": "absent"}
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return about
    kinds = ((stat.S_ISLNK, "symlink"), (stat.S_ISREG, "file"), (stat.S_ISDIR, "folder"))
    about["kind"] = next((kind for test, kind in kinds if test(mode)), "other")
    if about["kind"] == "symlink":
        about["target"] = os.readlink(path)
        about["real"] = os.path.realpath(path)
    data = read_file(path)
    if data is not None:
        about["size"] = len(data)
        about["sha256"] = hash_bytes(data)
        about["text"] = decode(data[:2048])
    return about


def describe_network_files(fds: list[int]) -> list[dict[str, Any]]:
    """The files of the network configuration, and all that is in its folders."""
    paths = list(NETWORK_FILES)
    for folder in NETWORK_FOLDERS:
        for top, folders, names in os.walk(folder):
            folders.sort()
            paths += [top, *(os.path.join(top, name) for name in sorted(names))]
            if len(paths) > MOST_NETWORK_FILES:
                return [describe_file(path) for path in paths[:MOST_NETWORK_FILES]]
    return [describe_file(path) for path in paths]


def list_handed_in(folder: str, endings: str | tuple[str, ...]) -> list[str]:
    """Paths in a folder by the ends of their names; the first of very many."""
    names = sorted(list_folder(folder)[:1000])
    return [os.path.join(folder, name) for name in names if name.endswith(endings) and len(name) < 200]


def read_capture(path: str) -> dict[str, Any]:
    """The beginning of one capture file in base64, and whether there is more. Without data: it could not be read."""
    data = read_file(path, CAPTURE_BYTES + 1)
    if data is None:
        return {"path": path, "cut": False, "data": None}
    return {
        "path": path,
        "cut": len(data) > CAPTURE_BYTES,
        "data": base64.b64encode(data[:CAPTURE_BYTES]).decode(),
    }


def read_work(fds: list[int]) -> dict[str, Any]:
    """What a learner hands in: answers and captures."""
    answers = list_handed_in(ANSWERS, ".txt")[:MOST_ANSWERS]
    captures = list_handed_in(CAPTURES, CAPTURE_ENDINGS)[:MOST_CAPTURES]
    return {
        "answers": [{"path": path, "text": read_text(path, ANSWER_BYTES)} for path in answers],
        "captures": [read_capture(path) for path in captures],
    }


def stat_work(fds: list[int]) -> list[list[Any]]:
    """[folder, name, size, time in ns] of the learner's answers and captures."""
    found: list[list[Any]] = []
    for folder in (ANSWERS, CAPTURES):
        for name in sorted(list_folder(folder))[:64]:
            try:
                about = os.lstat(os.path.join(folder, name))
            except OSError:
                continue
            found.append([folder, name, about.st_size, about.st_mtime_ns])
    return found


def read_knocks(fds: list[int]) -> list[str] | None:
    """The latest lines of the world's log that tell of a knock; None: there is no log."""
    try:
        fd = os.open(WORLD_LOG, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode):
            return None
        os.lseek(fd, max(0, about.st_size - LOG_TAIL), os.SEEK_SET)
        lines = os.read(fd, LOG_TAIL).split(b"\n")
    except OSError:
        return None
    finally:
        os.close(fd)
    return [decode(line[:500]) for line in lines if b'"knock"' in line][-MOST_KNOCKS:]


def read_docker(fds: list[int]) -> list[dict[str, Any]]:
    """What Docker has noted of its containers: id, configuration, resolv.conf, and the network namespace that it keeps.

    `fd` is the index in `fds` of that namespace's file descriptor, None when there is none.
    """
    found = []
    for name in sorted(list_folder(DOCKER_CONTAINERS))[:MOST_CONTAINERS]:
        folder = f"{DOCKER_CONTAINERS}/{name}/"
        config = read_file(folder + "config.v2.json", 1 << 17) or b""
        kept = SANDBOX_KEY.search(config)
        entry: dict[str, Any] = {
            "id": name[:64],
            "config": decode(config),
            "resolv": read_text(folder + "resolv.conf", 4096),
            "netns": decode(kept[1]) if kept else None,
            "fd": None,
        }
        fd = open_netns(entry["netns"]) if kept else None
        if fd is not None:
            entry["fd"] = len(fds)
            fds.append(fd)
        found.append(entry)
    return found
