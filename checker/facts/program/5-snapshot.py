"""One snapshot out of all of them."""


def world():
    pid = (text(read("/run/handwired/world.pid", 20)) or "").strip()
    return {"pid": int(pid) if pid.isdigit() else None, "inode": inode_of("/proc/%s/ns/net" % pid) if pid else None}


def each(namespaces, work):
    """What `work` gives in each namespace; one that can't be entered is left out."""
    results = {}
    for scope, fd in namespaces.items():
        try:
            enter(fd)
            results[scope] = work(scope)
        except OSError:
            continue
        finally:
            enter(ROOT)
    return results


def snapshot():
    own = os.fstat(ROOT).st_ino
    names = named()
    inside = {"root": ROOT}
    for entry in [entry for entry in names if entry["nsfs"] and entry["inode"] != own][:12]:
        try:
            inside["netns " + entry["name"]] = os.open("/run/netns/" + entry["name"], os.O_RDONLY)
        except OSError:
            continue
    scopes = each(inside, start)
    values = each(inside, lambda scope: sysctls())
    collect(scopes)
    later = each(inside, lambda scope: more(scopes.get(scope, {"nft-text": None})))
    collect(later)
    for scope, sources in later.items():
        scopes.get(scope, {}).update(sources)
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


send(snapshot())
