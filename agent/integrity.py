"""Finds files behind the learner's commands that differ, byte by byte, from the seat's own."""

from __future__ import annotations

import os
import re
import stat

from agent.namespaces import list_mounts
from agent.system import list_folder, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Tools = Mapping[str, list[str]]
    """`tools` of checker/facts/observe.ts: names of commands and libraries, paths of settings and shells' files."""

SEARCH_PATH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
SEAT_FOLDERS = ["/usr/sbin", "/usr/bin"]
"""Where the seat's own commands are."""

WHOLE_MOUNTS = ("/", "/usr", "/etc", "/proc", "/sys", "/usr/local")
"""Where a lab host itself has one mount each; /usr and /etc are overlays."""

ALLOWED_MOUNTS = re.compile(
    r"/proc/(sys(/net|/fs/binfmt_misc)?|sysrq-trigger)$|/sys/devices/virtual/net$|/run/handwired/(mgmt\.ns|sys)$"
)
WATCHED_MOUNTS = re.compile(
    r"/((usr/)?(s?bin|lib[^/]*)|usr/local|usr/local/lib/handwired|(etc|run)/handwired|proc|sys/(class|devices))/"
)


class SeatFiles:
    """The seat's own commands, libraries and settings, opened before the view is made, which compares with them.

    `commands`: {name: the seat's path}; `opened`: {real path: file descriptor}. Without a seat both are empty.
    """

    def __init__(self, tools: Tools, view_pid: int) -> None:
        self.tools = tools
        self.commands: dict[str, str] = {}
        self.opened: dict[str, int] = {}
        if not view_pid:
            return
        for name in tools["commands"]:
            paths = [f"{folder}/{name}" for folder in SEAT_FOLDERS]
            path = next((path for path in paths if os.path.exists(path)), None)
            if path:
                self.commands[name] = path
        folders = ["/usr/lib/" + name for name in list_folder("/usr/lib") if name.endswith("-linux-gnu")]
        libraries = [f"{folder}/{name}" for folder in folders for name in tools["libraries"]]
        for path in [*self.commands.values(), *libraries, *tools["settings"]]:
            real = os.path.realpath(path)
            try:
                self.opened.setdefault(real, os.open(real, os.O_RDONLY | os.O_CLOEXEC))
            except OSError:
                pass

    def find_altered(self, fds: list[int]) -> list[list[str]]:
        """[path, what is wrong with it] of everything. Called in the view."""
        found = [
            [path, "differs from the image's own" if os.path.lexists(path) else "is gone"]
            for path, own in self.opened.items()
            if not has_same_bytes(path, own)
        ]
        found += self._find_other_commands()
        if self.commands:
            found += self._find_added()
        for path in self.tools["shells"]:
            script = read_text(path, 1 << 16) or ""
            found += [[path, what] for what in find_overrides(script, self.tools["commands"])]
        return found

    def _find_other_commands(self) -> Iterator[list[str]]:
        """Commands that the shell finds elsewhere than at the seat's place."""
        for name, ours in self.commands.items():
            paths = [f"{folder}/{name}" for folder in SEARCH_PATH]
            first = next((path for path in paths if os.path.lexists(path)), None)
            if first is None:
                continue
            if os.path.dirname(first) != os.path.dirname(ours):
                yield [first, f"comes before {ours} in PATH"]
            else:
                real = os.path.realpath(first)
                if real not in self.opened:
                    yield [first, f"leads to {real}, which is none of the image's own"]

    def _find_added(self) -> Iterator[list[str]]:
        """Settings of the dynamic linker, and libraries that come before the image's own."""
        for path in self.tools["settings"]:
            if os.path.lexists(path) and os.path.realpath(path) not in self.opened:
                yield [path, "is there, and the image has none"]
        local = "/usr/local/lib"
        for folder in [local, *(f"{local}/{name}" for name in list_folder(local))]:
            names = list_folder(folder)
            for name in self.tools["libraries"]:
                if name in names:
                    yield [f"{folder}/{name}", "comes before the image's own library"]


def has_same_bytes(path: str, own: int) -> bool:
    """Whether a file has the bytes of the one behind a file descriptor."""
    try:
        fd, at = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), 0
    except OSError:
        return False
    try:
        size = os.fstat(own).st_size
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode) or about.st_size != size:
            return False
        while at < size:
            data = os.pread(fd, 1 << 20, at)
            if not data or data != os.pread(own, len(data), at):
                return False
            at += len(data)
        return True
    finally:
        os.close(fd)


def find_overrides(script: str, commands: list[str]) -> Iterator[str]:
    """Aliases and functions that make a command another program; not those that only add options to it."""
    for name, value in re.findall(r"^[^#\n]*\balias\b.*?\b([\w.-]+)=['\"]?([^'\"\s]*)", script, re.MULTILINE):
        if name in commands and value != name:
            yield f"makes {name} an alias"
    for name in re.findall(r"^\s*(?:function\s+)?([\w.-]+)\s*\(\)", script, re.MULTILINE):
        if name in commands:
            yield f"makes {name} a function"
    if re.search(r"^[^#\n]*\bLD_PRELOAD=", script, re.MULTILINE):
        yield "sets LD_PRELOAD"


def find_covering_mounts(view_pid: int) -> list[list[str]]:
    """[path, what] of mounts over programs, libraries and the kernel's files: only who hides something needs them."""
    found: list[list[str]] = []
    seen: set[str] = set()
    for point, _, kind in list_mounts(view_pid):
        again = point in seen
        seen.add(point)
        if point in WHOLE_MOUNTS:
            odd = again or (point in ("/usr", "/etc") and kind != "overlay")
        else:
            odd = bool(WATCHED_MOUNTS.match(point + "/")) and (again or not ALLOWED_MOUNTS.match(point))
        if odd:
            found.append([point, f"is covered by a mount ({kind})"])
    return found
