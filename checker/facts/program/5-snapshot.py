"""One snapshot out of all of them."""


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


send(snapshot())
