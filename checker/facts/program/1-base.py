"""Takes one snapshot of a lab host's network state and prints it as one framed JSON document.

Runs on the lab host as `python3 -ISB` (3.9 or newer, standard library only), in the root network namespace.
The caller defines P before this text: {"nonce": str, "limit": bytes a source, "seconds": for everything}.
Output: a line `NONCE LENGTH`, LENGTH bytes of JSON, a line `NONCE end`. The JSON's shape is facts/raw.ts.
Nothing that a source prints is interpreted here; all of it is quoted as JSON strings, cut at the limit.
"""
import ctypes, hashlib, json, os, re, selectors, signal, stat, subprocess, sys, time

LIMIT = P["limit"]
END = time.monotonic() + P["seconds"]
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
libc = ctypes.CDLL(None, use_errno=True)
ROOT = os.open("/proc/self/ns/net", os.O_RDONLY)


def read(path, limit=LIMIT):
    """At most `limit` bytes of a regular file; None when it can't be read (fifos and devices never are)."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return os.read(fd, limit) if stat.S_ISREG(os.fstat(fd).st_mode) else None
    except OSError:
        return None
    finally:
        os.close(fd)


def text(data):
    return None if data is None else data.decode("utf-8", "replace")


def enter(fd):
    if libc.setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")


def send(answer):
    """The one thing that is written to stdout."""
    body, nonce = json.dumps(answer).encode(), P["nonce"].encode()
    sys.stdout.buffer.write(b"%s %d\n%s\n%s end\n" % (nonce, len(body), body, nonce))
    sys.stdout.buffer.flush()
