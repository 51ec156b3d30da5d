"""What the grader's programs share: facts/program looks, probes/program makes experiments.

They run as `python3 -ISB` (3.9 or newer, standard library only) at the grader's seat, in the lab host's own network
namespace: out of the learner's reach, with the seat's own root. The caller defines P before this text: {"nonce": str,
"view": pid, ...}; `view` is a process of the lab host, as the seat numbers processes (0: there is no seat, and our own
root is the learner's). Output: a line `NONCE LENGTH`, LENGTH bytes of JSON, a line `NONCE end`. What is read is quoted as
JSON strings, cut at a limit; nothing of it is interpreted here.
"""
import array, ctypes, errno, fcntl, hashlib, json, os, re, select, selectors, signal, socket, stat, struct, subprocess
import sys, threading, time

ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
CLONE_NEWNET, CLONE_NEWNS, CLONE_FS = 0x40000000, 0x20000, 0x200
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: nothing of us outlives the grader
VIEW = P["view"] or os.getpid()
HERE = os.open("/proc/thread-self/ns/net", os.O_RDONLY)


def fail(what):
    raise OSError(ctypes.get_errno(), "%s: %s" % (what, os.strerror(ctypes.get_errno())))


def read(path, limit=1 << 20):
    """At most `limit` bytes of a regular file; None when it can't be read (fifos and devices never are)."""
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


def text(data):
    return None if data is None else data.decode("utf-8", "replace")


def enter(fd):
    """Moves this thread, and no other, into a network namespace: setns(2)."""
    if libc.setns(fd, CLONE_NEWNET):
        fail("setns")


def send(answer):
    """The one thing that is written to stdout."""
    body, nonce = json.dumps(answer).encode(), P["nonce"].encode()
    sys.stdout.buffer.write(b"%s %d\n%s\n%s end\n" % (nonce, len(body), body, nonce))
    sys.stdout.buffer.flush()
