"""Files, programs and system calls that Python's standard library lacks, each within bounds."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys

TYPE_CHECKING = False  # `typing` is not loaded on the lab host: it takes longer than most of our modules
if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping, Sequence
    from typing import Any

COMMAND_ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
"""The environment of every program that is started."""

# include/uapi/linux/sched.h, mount.h, prctl.h
CLONE_NEWNET, CLONE_NEWNS, CLONE_FS = 0x40000000, 0x20000, 0x200
MS_NOSUID, MS_NODEV, MS_REC, MS_PRIVATE = 2, 4, 0x4000, 0x40000
PR_SET_PDEATHSIG = 1

LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """Has the kernel kill this process when the one that started it ends: nothing of ours outlives the grader."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def raise_errno(what: str) -> None:
    """Raises the OSError of the system call that failed last."""
    code = ctypes.get_errno()
    raise OSError(code, f"{what}: {os.strerror(code)}")


def set_namespace(fd: int, kind: int) -> None:
    """setns(2): moves this thread, and no other, into the namespace behind a file descriptor."""
    if LIBC.setns(fd, kind):
        raise_errno("setns")


def unshare(flags: int) -> None:
    """Moves this thread into namespaces of its own, by CLONE_* flags."""
    if LIBC.unshare(flags):
        raise_errno("unshare")


def mount(target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """Mounts something that has no source, such as a tmpfs. Without a kind it changes a mount's flags."""
    encoded = (None if word is None else word.encode() for word in (kind, options))
    kind_bytes, options_bytes = encoded
    if LIBC.mount(b"handwired", target.encode(), kind_bytes, flags, options_bytes):
        raise_errno(f"mount {target}")


def get_socket_option(sock: socket.socket, level: int, option: int, request: bytes) -> bytes:
    """getsockopt(2) with a buffer that says what is asked for, which Python's own can't do."""
    buffer, size = ctypes.create_string_buffer(request, len(request)), ctypes.c_uint32(len(request))
    if LIBC.getsockopt(sock.fileno(), level, option, buffer, ctypes.byref(size)):
        raise_errno("getsockopt")
    return buffer.raw[: size.value]


def read_file(path: str, limit: int = 1 << 20) -> bytes | None:
    """At most `limit` bytes of a regular file; None when it can't be read. A fifo or a device is never read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        data = b""
        while len(data) < limit:
            more = os.read(fd, limit - len(data))  # files of /proc come in pieces
            data += more
            if not more:
                break
        return data
    except OSError:
        return None
    finally:
        os.close(fd)


def decode(data: bytes) -> str:
    """UTF-8 text; what is none is replaced."""
    return data.decode("utf-8", "replace")


def read_text(path: str, limit: int = 1 << 20) -> str | None:
    """`read_file` as text."""
    data = read_file(path, limit)
    return None if data is None else decode(data)


def read_word(path: str, limit: int = 4096) -> str:
    """A short file without the blanks around it; empty when it can't be read."""
    return (read_text(path, limit) or "").strip()


def list_folder(folder: str) -> list[str]:
    """The names in a folder; none when it can't be read."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def hash_bytes(data: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def run_program(argv: Sequence[str], seconds: float = 5, limit: int = 1 << 20) -> str:
    """What a program of the seat's prints, its first `limit` bytes; empty when it can't be run."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=COMMAND_ENV,
            cwd="/",
            timeout=seconds,
        )
        return decode(done.stdout[:limit])
    except (OSError, subprocess.SubprocessError):
        return ""


def close_all(fds: Sequence[int]) -> None:
    """Closes file descriptors, also when some are closed already."""
    for fd in fds:
        with contextlib.suppress(OSError):
            os.close(fd)


def send_answer(answer: Any, nonce: str) -> None:
    """Writes a program's one answer to stdout: the line `NONCE LENGTH`, LENGTH bytes of JSON, the line `NONCE end`."""
    body, mark = json.dumps(answer).encode(), nonce.encode()
    sys.stdout.buffer.write(b"%s %d\n%s\n%s end\n" % (mark, len(body), body, mark))
    sys.stdout.buffer.flush()


def send_line(message: Mapping[str, Any] | Sequence[Any], nonce: str) -> None:
    """Writes one line of a program that goes on: the nonce and JSON. It is not flushed: several may go at once."""
    sys.stdout.buffer.write(b"%s %s\n" % (nonce.encode(), json.dumps(message, separators=(",", ":")).encode()))


def flush_lines() -> None:
    """Sends the lines that were written."""
    sys.stdout.buffer.flush()


def end_process() -> None:
    """Ends at once, without waiting for threads or children. Call it when the answer is sent."""
    flush_lines()
    os._exit(0)
