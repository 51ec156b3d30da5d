"""Namespaces, the lab host's processes, the world, and kernel settings, read from /proc by the seat's own eyes."""
SYSCTLS = re.compile(
    r"net/(ipv4/(ip_forward|ip_nonlocal_bind|ip_default_ttl|icmp_echo_ignore_all|ping_group_range|conf/[^/]+/"
    r"(forwarding|route_localnet|proxy_arp|rp_filter|accept_local|arp_ignore))"
    r"|ipv6/conf/[^/]+/(forwarding|disable_ipv6|proxy_ndp)|bridge/bridge-nf-call-\w+|netfilter/nf_conntrack_max)$")
WORLD = "/usr/local/lib/handwired"
WORLD_ARGS = [WORLD + "/world", "-I", "-S", WORLD + "/files/world.py"]


def inode_of(link):
    try:
        return int(re.search(r"\[(\d+)\]$", os.readlink(link))[1])
    except (OSError, TypeError):
        return None


def mounts():
    """The lab host's mounts, after proc(5) mountinfo: (mount point, root in its file system, type)."""
    found = []
    for line in (text(read("/proc/%d/mountinfo" % VIEW, 1 << 21)) or "").splitlines():
        field = [re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), word) for word in line.split(" ")]
        found.append((field[4], field[3], field[field.index("-") + 1]))
    return found


def nsfs():
    """(path, inode) of each network namespace that is kept by a mount."""
    found = [(point, re.match(r"net:\[(\d+)\]$", root)) for point, root, _ in mounts()]
    return [(point, int(match[1])) for point, match in found if match]


class Processes:
    """The lab host's processes: those in the pid namespace of `view`, or below it. Ours are in none, or left out."""

    def __init__(self):
        self.known = {inode_of("/proc/%d/ns/pid" % VIEW): True}
        self.depth = len(self.numbers(VIEW)) - 1
        self.pids = []
        for name in listing("/proc"):
            if name.isdigit() and int(name) != os.getpid() and self.below(name) and len(self.pids) < 4000:
                self.pids.append(int(name))

    def numbers(self, pid):
        """A process's pids, from the seat's pid namespace down to its own: NSpid of proc(5) status."""
        match = re.search(r"^NSpid:\t(.*)$", text(read("/proc/%s/status" % pid, 8192)) or "", re.M)
        return [int(number) for number in match[1].split()] if match else []

    def seen(self, pid):
        """The pid by which the learner knows a process."""
        numbers = self.numbers(pid)
        return numbers[self.depth] if len(numbers) > self.depth else pid

    def below(self, pid):
        inode = inode_of("/proc/%s/ns/pid" % pid)
        if inode is not None and inode not in self.known:
            self.known[inode] = self.nested(pid)
        return self.known.get(inode, False)

    def nested(self, pid):
        try:
            fd = os.open("/proc/%s/ns/pid" % pid, os.O_RDONLY)
        except OSError:
            return False
        try:
            while True:
                parent = fcntl.ioctl(fd, NS_GET_PARENT)
                os.close(fd)
                fd = parent
                if self.known.get(os.fstat(fd).st_ino):
                    return True
        except OSError:
            return False  # EPERM: the topmost one that we can see
        finally:
            os.close(fd)

    def elsewhere(self):
        """Those in network namespaces other than ours."""
        own, found = os.fstat(HERE).st_ino, []
        for pid in self.pids:
            inode = inode_of("/proc/%d/ns/net" % pid)
            if inode is not None and inode != own and len(found) < 500:
                found.append({"pid": self.seen(pid), "inode": inode, "args": self.args(pid)})
        return found

    def args(self, pid):
        return [arg for arg in (text(read("/proc/%d/cmdline" % pid, 400)) or "").split("\0") if arg]

    def owners(self, inodes):
        """Socket inode -> (pid as the learner sees it, name of the program), of those asked for."""
        found = {}
        for pid in self.pids:
            if len(found) == len(inodes):
                break
            for fd in listing("/proc/%d/fd" % pid)[:4096]:
                try:
                    target = os.readlink("/proc/%d/fd/%s" % (pid, fd))
                except OSError:
                    continue
                inode = int(target[8:-1]) if target.startswith("socket:[") else None
                if inode in inodes and inode not in found:
                    found[inode] = (self.seen(pid), (text(read("/proc/%d/comm" % pid, 64)) or "").strip())
        return found

    def started(self, pid):
        """Clock ticks since boot: proc(5) stat, field 22. A pid is used again, a pid with its start is not."""
        return (text(read("/proc/%d/stat" % pid, 4096)) or "").rpartition(")")[2].split()[19:20]


def boot():
    return (text(read("/proc/sys/kernel/random/boot_id", 64)) or "").strip()


def find_world(view, processes):
    """The process that holds the world's network namespace, as the seat numbers it; None when there is none.

    In one life of the lab host (a boot of the VM, a sandbox's init) by the namespace that the baseline knows, whatever the
    learner's files say. Otherwise, as at the baseline itself, by the pid that the world left, if that process was started
    with the words that start the world.
    """
    known = P.get("world")
    if known and known["boot"] == boot() and known["host"] == os.fstat(HERE).st_ino:
        found = [pid for pid in processes.pids if inode_of("/proc/%d/ns/net" % pid) == known["inode"]]
        return next((pid for pid in found if processes.args(pid) == WORLD_ARGS), found[0] if found else None)
    noted = (view.ask("small", "/run/handwired/world.pid")[0] or "").strip()
    same = [pid for pid in processes.pids if processes.args(pid) == WORLD_ARGS]
    return next((pid for pid in same if str(processes.seen(pid)) == noted), None)


def sysctls(devices=None):
    """Of the namespace this thread is in: /proc/sys/net shows the reader's own. `devices`: of these alone."""
    found = {}
    for base in ("net/ipv4", "net/ipv4/conf", "net/ipv6/conf", "net/bridge", "net/netfilter"):
        deep = base.endswith("conf")
        for first in sorted(listing("/proc/sys/" + base))[:300]:
            if deep and devices is not None and first not in devices:
                continue
            inner = ["%s/%s" % (first, key) for key in listing("/proc/sys/%s/%s" % (base, first))] if deep else [first]
            for key in ("%s/%s" % (base, rest) for rest in inner):
                if SYSCTLS.match(key):
                    found[key] = (text(read("/proc/sys/" + key, 200)) or "").strip()
    return found


def spaces_of(view, processes):
    """Every namespace of the lab host: file descriptors by `root`, `netns NAME` and `world`, and what /run/netns has."""
    names, fds = view.ask("named")
    own, spaces = os.fstat(HERE).st_ino, {"root": HERE}
    for entry in [entry for entry in names if entry["fd"] is not None and entry["inode"] != own][:12]:
        spaces["netns " + entry["name"]] = fds[entry["fd"]]
    world = find_world(view, processes)
    if world is not None:
        spaces["world"] = os.open("/proc/%d/ns/net" % world, os.O_RDONLY)
    return spaces, names, world


def each(spaces, work):
    """What `work(name)` gives in each namespace (file descriptors by name); one that can't be entered is left out."""
    results = {}
    for name, fd in spaces.items():
        try:
            enter(fd)
            results[name] = work(name)
        except OSError:
            continue
        finally:
            enter(HERE)
    return results
