"""Sends real traffic from a lab host's namespaces, all at once, and prints what happened as one framed JSON document.

Runs on the lab host as `python3 -ISB` (3.9 or newer, standard library only), in the root network namespace.
The caller defines P before this text: {"nonce": str, "probes": [...], "capture": [names], "seconds": float, "slow": float}; a probe is
{"id", "kind": icmp|http|https|lookup, "in": "root"|"world"|a name in /run/netns, "token", ...}, see probes/list.ts.
Every packet carries its probe's token. Packet sockets (packet(7)) in each namespace of `capture` say where tokens
were seen: that is evidence which does not depend on who answers. Output: framed as in facts/program.
"""
import ctypes, errno, json, os, re, select, signal, socket, struct, subprocess, sys, threading, time

libc = ctypes.CDLL(None, use_errno=True)
TOKEN = re.compile(rb"hw[0-9a-f]{18}", re.I)
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
CHILDREN_GRACE = 0.4
OF_TOKEN = {probe["token"].encode(): probe["id"] for probe in P["probes"]}
OF_PORT = {}  # a local port -> probe id: tells the packets that carry no token (SYN, RST) apart
lock = threading.Lock()


class Patience(threading.Thread):
    """A clock that stands still while this machine does not let us run, so that load never looks like packet loss.

    The control experiment, the world asking itself, shows how slow answers are here: its time is granted ten times over.
    """

    most = 12.0

    def __init__(self):
        super().__init__(daemon=True)
        self.lost = 0.0
        self.start()

    def run(self):
        while True:
            before = time.monotonic()
            time.sleep(0.02)
            late = time.monotonic() - before - 0.03
            if late > 0:
                self.lost = min(self.lost + late, self.most)

    def grant(self, seconds):
        self.lost = min(self.lost + 10 * seconds, self.most)

    def now(self):
        return time.monotonic() - self.lost


def slowness():
    """Seconds that a trivial program takes here from start to end: a few ms on an idle machine, 0.1 to 0.2 s under TCG."""
    before = time.monotonic()
    subprocess.run(["/usr/bin/getent", "ahostsv4", "127.0.0.1"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, env=ENV, cwd="/", timeout=20)
    return time.monotonic() - before


def namespaces():
    """File descriptors by name; a name that leads to no namespace is left out."""
    paths = {"root": "/proc/self/ns/net"}
    try:
        with open("/run/handwired/world.pid") as file:
            paths["world"] = "/proc/%d/ns/net" % int(file.read(20))
    except (OSError, ValueError):
        pass
    for probe in P["probes"]:
        paths.setdefault(probe["in"], "/run/netns/" + probe["in"])
    opened = {}
    for name, path in paths.items():
        try:
            opened[name] = os.open(path, os.O_RDONLY)
        except OSError:
            pass
    return opened


NS = namespaces()


def enter(name):
    """Moves this thread, and no other, into a network namespace: setns(2)."""
    if name not in NS:
        raise OSError(errno.ENOENT, "no network namespace %s" % name)
    if libc.setns(NS[name], 0x40000000):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def send(answer):
    """The one thing that is written to stdout."""
    body, nonce = json.dumps(answer).encode(), P["nonce"].encode()
    sys.stdout.buffer.write(b"%s %d\n%s\n%s end\n" % (nonce, len(body), body, nonce))
    sys.stdout.buffer.flush()
