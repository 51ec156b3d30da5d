"""Commands that print kernel state, the seat's own, started all at once, read within bounds."""
LIMIT = P["limit"]
END = time.monotonic() + P["seconds"]
IP = ["/usr/sbin/ip", "-j", "-d", "-N", "-force", "-batch", "-"]
IP_INPUT = "addr show\nroute show table all\nrule show\nneigh show\n"
EVERYWHERE = {
    "ip": (IP, IP_INPUT),
    "nft": (["/usr/sbin/nft", "-j", "list", "ruleset"], ""),
}
# Where nft lists a table: iptables-nft keeps its own there.
WITH_TABLES = {
    "nft-text": (["/usr/sbin/nft", "-a", "list", "ruleset"], ""),
    "iptables-nft": (["/usr/sbin/iptables-nft-save"], ""),
    "ip6tables-nft": (["/usr/sbin/ip6tables-nft-save"], ""),
}
LEGACY = {
    "iptables-legacy": ("/proc/thread-self/net/ip_tables_names", ["/usr/sbin/iptables-legacy-save"]),
    "ip6tables-legacy": ("/proc/thread-self/net/ip6_tables_names", ["/usr/sbin/ip6tables-legacy-save"]),
}
ROOT_ONLY = {
    "bridge": (["/usr/sbin/bridge", "-j", "-d", "-batch", "-"], "link show\nfdb show\n"),
    "conntrack": (["/usr/sbin/conntrack", "-L", "-o", "extended"], ""),
}


class Source:
    """One command, started in the namespace that this thread is in."""

    def __init__(self, argv, given):
        self.result = {"code": None, "out": "", "err": "", "cut": False}
        self.streams = {}
        try:
            self.child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                          env=ENV, cwd="/")
        except OSError as error:
            self.child = None
            self.result["err"] = str(error)
            return
        self.streams = {self.child.stdout: ["out", b""], self.child.stderr: ["err", b""]}
        try:
            self.child.stdin.write(given.encode())
            self.child.stdin.close()
        except OSError:
            pass

    def take(self, stream):
        """Reads what is there; False at its end or when it is more than the limit."""
        kept = self.streams[stream]
        data = os.read(stream.fileno(), 65536)
        room = (LIMIT if kept[0] == "out" else 65536) - len(kept[1])
        kept[1] += data[:room]
        if len(data) > room:
            self.result["cut"] = True
            self.child.kill()
        return bool(data) and not self.result["cut"]

    def close(self):
        if self.child is None:
            return
        try:
            self.result["code"] = self.child.wait(max(0.05, 0 if self.result["cut"] else END - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            self.result["err"] += "stopped: too long or too much"
        for name, data in self.streams.values():
            # What was cut is of no use, and there may be much of it.
            self.result[name] = ("" if self.result["cut"] else text(data)) + self.result[name]


def start(scope):
    """All sources of the namespace this thread is in."""
    wanted = {**EVERYWHERE, **WITH_TABLES, **ROOT_ONLY} if scope == "root" else dict(EVERYWHERE)
    if scope == P.get("docker"):
        wanted["bridge"] = ROOT_ONLY["bridge"]
    for name, (names, argv) in LEGACY.items():
        # Empty: no legacy table was ever used here. The tool itself would load the module that registers one.
        if read(names):
            wanted[name] = (argv, "")
    return {name: Source(*command) for name, command in wanted.items()}


def more(sources):
    """The sources that only make sense once nft has listed a table in the namespace this thread is in."""
    tables = "nft" in sources and "nft-text" not in sources and '"table"' in sources["nft"].result["out"]
    return {name: Source(*command) for name, command in WITH_TABLES.items()} if tables else {}


def collect(scopes):
    selector = selectors.DefaultSelector()
    for sources in scopes.values():
        for source in sources.values():
            for stream in source.streams:
                selector.register(stream, selectors.EVENT_READ, source)
    while selector.get_map() and time.monotonic() < END:
        for key, _ in selector.select(0.2):
            if not key.data.take(key.fileobj):
                selector.unregister(key.fileobj)
    for sources in scopes.values():
        for source in sources.values():
            source.close()
