"""Namespaces, processes and kernel settings, read from /proc and /run/netns."""
SYSCTLS = re.compile(
    r"net/(ipv4/(ip_forward|ip_nonlocal_bind|ping_group_range|conf/[^/]+/"
    r"(forwarding|route_localnet|proxy_arp|rp_filter|accept_local|arp_ignore))"
    r"|ipv6/conf/[^/]+/(forwarding|disable_ipv6|proxy_ndp)|bridge/bridge-nf-call-\w+)$")


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
