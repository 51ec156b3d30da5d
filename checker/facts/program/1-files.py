"""Files of the network configuration, as the learner sees them: called in the view."""
FILES = ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/sysctl.conf", "/etc/nftables.conf",
         "/etc/dnsmasq.conf", "/etc/network/interfaces"]
FOLDERS = ["/etc/netns", "/etc/sysctl.d", "/etc/systemd/network", "/etc/systemd/resolved.conf.d", "/etc/dnsmasq.d",
           "/etc/network/interfaces.d", "/etc/iptables"]


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


def files(fds):
    paths = list(FILES)
    for folder in FOLDERS:
        for top, folders, names in os.walk(folder):
            folders.sort()
            paths += [top] + [os.path.join(top, name) for name in sorted(names)]
            if len(paths) > 300:
                return [describe(path) for path in paths[:300]]
    return [describe(path) for path in paths]


SIGHTS["files"] = files
