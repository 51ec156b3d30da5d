"""One snapshot out of all of them. P has {"limit": bytes a source, "seconds": for everything, "world": see find_world}.

With "docker", the scope of its namespace, also the namespaces of its containers, as `docker ID`, and what it noted of them.
"""


def world(view, processes, pid):
    """The world's process and namespace, and the hash of the program that it was started from."""
    found = {"pid": None, "inode": None, "start": None, "sha256": view.ask("digest", WORLD_ARGS[-1])[0],
             "authority": view.ask("small", "/etc/handwired/world/ca.crt")[0], "knocks": view.ask("knocks")[0]}
    if pid is not None:
        started = processes.started(pid)
        found.update(pid=processes.seen(pid), inode=inode_of("/proc/%d/ns/net" % pid), start=started[0] if started else None)
    return found


def sockets(spaces, processes):
    """Listening sockets of each namespace, with their owners among the lab host's processes."""
    found = each(spaces, lambda scope: listeners())
    owners = processes.owners({entry["inode"] for scope in found.values() for entry in scope if entry["inode"]})
    for entry in (entry for scope in found.values() for entry in scope):
        entry["pid"], entry["program"] = owners.get(entry.pop("inode"), (None, None))
    return found


def snapshot():
    open_own()
    view = View()
    processes = Processes()
    spaces, names, world_pid = spaces_of(view, processes)
    containers, fds = view.ask("docker") if P.get("docker") else ([], [])
    spaces.update(("docker " + entry["id"], fds[entry["fd"]]) for entry in containers if entry["fd"] is not None)
    before = steady(view, spaces)
    scopes = each(spaces, start)
    view.begin("files")
    found = {"netns": [{"name": entry["name"], "inode": entry["inode"], "nsfs": entry["fd"] is not None} for entry in names],
             "sysctls": each(spaces, lambda scope: sysctls()), "sockets": sockets(spaces, processes),
             "processes": processes.elsewhere(),
             "files": None, "mounts": [{"path": path, "inode": inode} for path, inode in nsfs()][:200]}
    found["files"] = view.answer()[0]
    view.begin("altered")
    collect(scopes)
    later = each(spaces, lambda scope: more(scopes.get(scope, {})) if scope != "world" else {})
    collect(later)
    for scope, sources in later.items():
        scopes.get(scope, {}).update(sources)
    altered = [{"path": path[:4096], "what": what[:300]} for path, what in view.answer()[0] + mounted()][:200]
    named = {scope[6:]: fd for scope, fd in spaces.items() if scope.startswith("netns ")}
    return {
        **found,
        "work": view.ask("work")[0],
        "docker": [{key: entry[key] for key in ("id", "config", "resolv", "netns")} for entry in containers],
        "host": {"name": (view.ask("small", "/etc/hostname")[0] or "").strip()[:256], "kernel": os.uname().release,
                 "clock": time.time(), "inode": os.fstat(HERE).st_ino, "boot": boot()},
        "altered": altered,
        "ids": each(spaces, lambda scope: numbers(named)),
        "lab": view.ask("small", "/etc/handwired/lab.env")[0],
        "world": world(view, processes, world_pid),
        "steady": {"before": before, "after": steady(view, spaces)},
        "sources": {scope: {name: source.result for name, source in sources.items()} for scope, sources in scopes.items()},
    }


send(snapshot())
os._exit(0)
