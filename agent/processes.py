"""The lab host's processes, read from /proc by the seat's own eyes, and which of them holds the world."""

from __future__ import annotations

import fcntl
import os
import re

from agent.namespaces import ROOT_NETNS, read_inode
from agent.system import list_folder, read_text, read_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any

NS_GET_PARENT = 0xB702  # ioctl_ns(2)
MOST_PROCESSES, MOST_ELSEWHERE, MOST_FDS = 4000, 500, 4096
WORLD_FOLDER = "/usr/local/lib/handwired"
WORLD_PROGRAM = WORLD_FOLDER + "/files/world.py"
WORLD_ARGS = [WORLD_FOLDER + "/world", "-I", "-S", WORLD_PROGRAM]
"""The words by which the lab host starts its world."""


class Processes:
    """The processes in the pid namespace of the view's process, or below it, when this was made.

    Our own are in none of these, or left out. Pids are those of the seat, unless it says "as the learner sees it".
    """

    def __init__(self, view_pid: int) -> None:
        self.inside: dict[int | None, bool] = {read_inode(f"/proc/{view_pid}/ns/pid"): True}
        self.depth = len(self.read_numbers(view_pid)) - 1
        self.pids: list[int] = []
        for name in list_folder("/proc"):
            if name.isdigit() and int(name) != os.getpid() and self.is_inside(int(name)):
                self.pids.append(int(name))
                if len(self.pids) == MOST_PROCESSES:
                    break

    def read_numbers(self, pid: int) -> list[int]:
        """A process's pids, from the seat's pid namespace down to its own: NSpid of proc(5) status."""
        match = re.search(r"^NSpid:\t(.*)$", read_text(f"/proc/{pid}/status", 8192) or "", re.MULTILINE)
        return [int(number) for number in match[1].split()] if match else []

    def learners_pid(self, pid: int) -> int:
        """The pid as the learner sees it."""
        numbers = self.read_numbers(pid)
        return numbers[self.depth] if len(numbers) > self.depth else pid

    def is_inside(self, pid: int) -> bool:
        """Whether a process is the lab host's."""
        inode = read_inode(f"/proc/{pid}/ns/pid")
        if inode is not None and inode not in self.inside:
            self.inside[inode] = self.is_nested(pid)
        return self.inside.get(inode, False)

    def is_nested(self, pid: int) -> bool:
        """Whether a process's pid namespace is below one that is the lab host's."""
        try:
            fd = os.open(f"/proc/{pid}/ns/pid", os.O_RDONLY)
        except OSError:
            return False
        try:
            while True:
                parent = fcntl.ioctl(fd, NS_GET_PARENT)
                os.close(fd)
                fd = parent
                if self.inside.get(os.fstat(fd).st_ino):
                    return True
        except OSError:
            return False  # EPERM: the topmost one that we can see
        finally:
            os.close(fd)

    def list_elsewhere(self) -> list[dict[str, Any]]:
        """[{"pid", "inode", "args"}] of those in other network namespaces; the pid as the learner sees it."""
        own = os.fstat(ROOT_NETNS).st_ino
        found: list[dict[str, Any]] = []
        for pid in self.pids:
            inode = read_inode(f"/proc/{pid}/ns/net")
            if inode is not None and inode != own and len(found) < MOST_ELSEWHERE:
                found.append({"pid": self.learners_pid(pid), "inode": inode, "args": self.read_args(pid)})
        return found

    def read_args(self, pid: int) -> list[str]:
        """The words that a process was started with, the first 400 bytes of them."""
        return [arg for arg in (read_text(f"/proc/{pid}/cmdline", 400) or "").split("\0") if arg]

    def find_socket_owners(self, inodes: Collection[int]) -> dict[int, tuple[int, str]]:
        """{socket inode: (pid as the learner sees it, name of the program)} of those asked for."""
        found: dict[int, tuple[int, str]] = {}
        for pid in self.pids:
            if len(found) == len(inodes):
                break
            for fd in list_folder(f"/proc/{pid}/fd")[:MOST_FDS]:
                try:
                    target = os.readlink(f"/proc/{pid}/fd/{fd}")
                except OSError:
                    continue
                inode = int(target[8:-1]) if target.startswith("socket:[") else None
                if inode is not None and inode in inodes and inode not in found:
                    found[inode] = (self.learners_pid(pid), read_word(f"/proc/{pid}/comm", 64))
        return found

    def read_start(self, pid: int) -> str | None:
        """When a process started, in clock ticks since boot: proc(5) stat. Tells apart two processes with one pid."""
        fields = (read_text(f"/proc/{pid}/stat", 4096) or "").rpartition(")")[2].split()
        return fields[19] if len(fields) > 19 else None


def read_boot_id() -> str:
    """The kernel's name for this boot."""
    return read_word("/proc/sys/kernel/random/boot_id", 64)


def find_world(processes: Processes, known: Mapping[str, Any] | None, read_noted: Callable[[], str]) -> int | None:
    """The pid of the process that holds the world's network namespace; None when there is none.

    `known`: {"boot", "host", "inode"} of the baseline. In the same life of the lab host (a boot of the VM, a sandbox's
    init) it tells the namespace, whatever the learner's files say. Otherwise, as when the baseline is taken,
    `read_noted` does: it gives the pid, as the learner sees it, that the world left in its file. That process must have
    the world's words.
    """
    if known and known["boot"] == read_boot_id() and known["host"] == os.fstat(ROOT_NETNS).st_ino:
        found = [pid for pid in processes.pids if read_inode(f"/proc/{pid}/ns/net") == known["inode"]]
        return next((pid for pid in found if processes.read_args(pid) == WORLD_ARGS), found[0] if found else None)
    noted = read_noted()
    same = [pid for pid in processes.pids if processes.read_args(pid) == WORLD_ARGS]
    return next((pid for pid in same if str(processes.learners_pid(pid)) == noted), None)
