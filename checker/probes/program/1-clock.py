"""Sends real traffic from a lab host's namespaces, all at once, and prints what happened.

P has {"probes": [...], "capture": [names], "seconds": float, "slow": float, "authority": PEM or null} as well; a probe is
{"id", "kind": icmp|http|https|lookup, "in": "root"|"world"|a name in /run/netns, "token", ...}, see probes/list.ts.
Every packet carries its probe's token. Packet sockets (packet(7)) in each namespace of `capture` say where tokens
were seen: that is evidence which does not depend on who answers.
"""
TOKEN = re.compile(rb"hw[0-9a-f]{18}", re.I)


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


class Place:
    """One set of network namespaces to experiment in, the lab host's own or a copy of it, and how to know our packets there.

    `spaces`: file descriptors by name; `etc`: files of /etc by name, see etc() of the view.
    """

    def __init__(self, spaces, probes, etc):
        self.spaces, self.probes, self.etc = spaces, probes, etc
        self.of_token = {probe["token"].encode(): probe["id"] for probe in probes}
        # A local port -> probe id: tells the packets that carry no token (SYN, RST) apart. A TLS client's random -> probe id.
        self.of_port, self.of_hello = {}, {}
        # Local ports that are not used as long as there are others.
        self.shunned = set()
        self.lock, self.turn = threading.Lock(), threading.Lock()

    def enter(self, name):
        """Moves this thread, and no other, into one of the namespaces."""
        if name not in self.spaces:
            raise OSError(errno.ENOENT, "no network namespace %s" % name)
        enter(self.spaces[name])
