"""What Docker has noted of its containers, and the network namespaces that it keeps by mounts: called in the view."""
CONTAINERS = "/var/lib/docker/containers"
KEPT = re.compile(rb'"SandboxKey":"(?:/var)?(/run/docker/netns/[0-9a-f]{12})"')


def docker(fds):
    found = []
    for name in sorted(listing(CONTAINERS))[:8]:
        folder = "%s/%s/" % (CONTAINERS, name)
        config = read(folder + "config.v2.json", 1 << 17) or b""
        kept = KEPT.search(config)
        entry = {"id": name[:64], "config": text(config), "resolv": text(read(folder + "resolv.conf", 4096)),
                 "netns": text(kept[1]) if kept else None, "fd": None}
        fd = netns_at(entry["netns"]) if kept else None
        if fd is not None:
            entry["fd"] = len(fds)
            fds.append(fd)
        found.append(entry)
    return found


SIGHTS["docker"] = docker
