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

IP = ["/usr/sbin/ip", "-j", "-d", "-N", "-force", "-batch", "-"]
IP_INPUT = "addr show\nroute show table all\nrule show\nneigh show\nnetns list-id\n"
EVERYWHERE = {
    "ip": (IP, IP_INPUT),
    "bridge": (["/usr/sbin/bridge", "-j", "-d", "-batch", "-"], "link show\nfdb show\n"),
    "nft": (["/usr/sbin/nft", "-j", "list", "ruleset"], ""),
    "nft-text": (["/usr/sbin/nft", "-a", "list", "ruleset"], ""),
    "iptables-nft": (["/usr/sbin/iptables-nft-save"], ""),
    "ip6tables-nft": (["/usr/sbin/ip6tables-nft-save"], ""),
    "ss": (["/usr/bin/ss", "-H", "-l", "-t", "-u", "-n", "-p", "-O"], ""),
}
LEGACY = {
    "iptables-legacy": ("/proc/thread-self/net/ip_tables_names", ["/usr/sbin/iptables-legacy-save"]),
    "ip6tables-legacy": ("/proc/thread-self/net/ip6_tables_names", ["/usr/sbin/ip6tables-legacy-save"]),
}
ROOT_ONLY = {"conntrack": (["/usr/sbin/conntrack", "-L", "-o", "extended"], "")}
SYSCTLS = re.compile(
    r"net/(ipv4/(ip_forward|ip_nonlocal_bind|ping_group_range|conf/[^/]+/"
    r"(forwarding|route_localnet|proxy_arp|rp_filter|accept_local|arp_ignore))"
    r"|ipv6/conf/[^/]+/(forwarding|disable_ipv6|proxy_ndp)|bridge/bridge-nf-call-\w+)$")
FILES = ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/sysctl.conf", "/etc/nftables.conf",
         "/etc/dnsmasq.conf", "/etc/network/interfaces"]
FOLDERS = ["/etc/netns", "/etc/sysctl.d", "/etc/systemd/network", "/etc/systemd/resolved.conf.d", "/etc/dnsmasq.d",
           "/etc/network/interfaces.d", "/etc/iptables"]


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


def named():
    """Everything in /run/netns: a network namespace has an inode on nsfs, a plain file has not."""
    found = []
    try:
        names = sorted(os.listdir("/run/netns"))[:64]
    except OSError:
        return found
    mounted = {path for path, _ in nsfs()}
    for name in names:
        path = "/run/netns/" + name
        try:
            found.append({"name": name, "inode": os.stat(path).st_ino, "nsfs": os.path.realpath(path) in mounted})
        except OSError:
            found.append({"name": name, "inode": None, "nsfs": False})
    return found


def nsfs():
    """(path, inode) of each network namespace that is kept by a mount, after proc(5) mountinfo."""
    found = []
    for line in (text(read("/proc/self/mountinfo", 1 << 22)) or "").splitlines():
        field = line.split(" ")
        match = re.match(r"net:\[(\d+)\]$", field[3])
        if match:
            path = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), field[4])
            found.append((path, int(match[1])))
    return found


def inode_of(link):
    try:
        return int(os.readlink(link)[5:-1])
    except (OSError, ValueError):
        return None


def processes(own):
    """Processes in network namespaces other than ours."""
    found = []
    for pid in os.listdir("/proc"):
        inode = inode_of("/proc/%s/ns/net" % pid) if pid.isdigit() else None
        if inode is not None and inode != own and len(found) < 500:
            args = (text(read("/proc/%s/cmdline" % pid, 400)) or "").split("\0")
            found.append({"pid": int(pid), "inode": inode, "args": [arg for arg in args if arg]})
    return found


def sysctls():
    """Of the namespace this thread is in: /proc/sys/net shows the reader's own."""
    found = {}
    for base in ("net/ipv4", "net/ipv4/conf", "net/ipv6/conf", "net/bridge"):
        deep = base.endswith("conf")
        for first in sorted(listing("/proc/sys/" + base))[:300]:
            inner = ["%s/%s" % (first, key) for key in listing("/proc/sys/%s/%s" % (base, first))] if deep else [first]
            for key in ("%s/%s" % (base, rest) for rest in inner):
                if SYSCTLS.match(key):
                    found[key] = (text(read("/proc/sys/" + key, 200)) or "").strip()
    return found


def listing(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return []


def describe(path):
    """A file by what it is and what it holds; a symlink by its target and by the file at the end of it."""
    about = {"path": path, "kind": "absent"}
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return about
    kinds = ((stat.S_ISLNK, "symlink"), (stat.S_ISREG, "file"), (stat.S_ISDIR, "folder"))
    about["kind"] = next((kind for test, kind in kinds if test(mode)), "other")
    if about["kind"] == "symlink":
        about["target"] = os.readlink(path)
        about["real"] = os.path.realpath(path)
    data = read(path, 1 << 20)
    if data is not None:
        about["size"] = len(data)
        about["sha256"] = hashlib.sha256(data).hexdigest()
        about["text"] = text(data[:2048])
    return about


def files():
    paths = list(FILES)
    for folder in FOLDERS:
        for top, folders, names in os.walk(folder):
            folders.sort()
            paths += [top] + [os.path.join(top, name) for name in sorted(names)]
            if len(paths) > 300:
                return [describe(path) for path in paths[:300]]
    return [describe(path) for path in paths]


class Source:
    """One command, started in the namespace that this thread is in."""

    def __init__(self, argv, given):
        self.result = {"code": None, "out": "", "err": "", "cut": False}
        self.streams = {}
        try:
            self.child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                          env=ENV, cwd="/", start_new_session=True)
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
        room = (LIMIT if kept[0] == "out" else 4096) - len(kept[1])
        kept[1] += data[:room]
        if len(data) > room:
            self.result["cut"] = self.result["cut"] or kept[0] == "out"
        return bool(data) and not self.result["cut"]

    def close(self):
        if self.child is None:
            return
        try:
            self.result["code"] = self.child.wait(max(0.05, 0 if self.result["cut"] else END - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
            self.result["err"] += "stopped: too long or too much"
        for name, data in self.streams.values():
            self.result[name] = text(data) + self.result[name]


def start(scope):
    """All sources of the namespace this thread is in."""
    wanted = dict(EVERYWHERE, **(ROOT_ONLY if scope == "root" else {}))
    for name, (names, argv) in LEGACY.items():
        # Empty: no legacy table was ever used here. The tool itself would load the module that registers one.
        if read(names):
            wanted[name] = (argv, "")
    return {name: Source(*command) for name, command in wanted.items()}


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


def world():
    pid = (text(read("/run/handwired/world.pid", 20)) or "").strip()
    return {"pid": int(pid) if pid.isdigit() else None, "inode": inode_of("/proc/%s/ns/net" % pid) if pid else None}


def snapshot():
    own = os.fstat(ROOT).st_ino
    names = named()
    scopes, values = {"root": start("root")}, {"root": sysctls()}
    for entry in [entry for entry in names if entry["nsfs"] and entry["inode"] != own][:12]:
        try:
            fd = os.open("/run/netns/" + entry["name"], os.O_RDONLY)
        except OSError:
            continue
        try:
            enter(fd)
            scopes["netns " + entry["name"]] = start(entry["name"])
            values["netns " + entry["name"]] = sysctls()
        except OSError:
            continue
        finally:
            os.close(fd)
            enter(ROOT)
    collect(scopes)
    return {
        "host": {"name": os.uname().nodename, "kernel": os.uname().release, "clock": time.time(), "inode": own,
                 "boot": (text(read("/proc/sys/kernel/random/boot_id", 64)) or "").strip()},
        "lab": text(read("/etc/handwired/lab.env", 4096)),
        "world": world(),
        "netns": names,
        "mounts": [{"path": path, "inode": inode} for path, inode in nsfs()][:200],
        "processes": processes(own),
        "files": files(),
        "sysctls": values,
        "sources": {scope: {name: source.result for name, source in sources.items()} for scope, sources in scopes.items()},
    }


body = json.dumps(snapshot()).encode()
sys.stdout.buffer.write(b"%s %d\n%s\n%s end\n" % (P["nonce"].encode(), len(body), body, P["nonce"].encode()))
sys.stdout.buffer.flush()
