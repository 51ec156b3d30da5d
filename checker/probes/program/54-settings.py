"""Kernel settings that networking depends on, of the namespace this thread is in: /proc/sys/net shows the reader's own."""
PLAIN = re.compile(r"(ip_|icmp_|fwmark_|fib_multipath|ping_group|tcp_(fwmark|l3mdev)|udp_l3mdev|raw_l3mdev)")
TRACK = re.compile(r"nf_conntrack_(tcp_be_liberal|tcp_loose|checksum|helper|udp_timeout|tcp_timeout_established)$")
SIX = ("forwarding", "disable_ipv6", "proxy_ndp", "accept_ra")


def names_in(folder):
    try:
        return sorted(os.listdir("/proc/sys/" + folder))
    except OSError:
        return []


def setting(path):
    try:
        fd = os.open("/proc/sys/" + path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return os.read(fd, 256).strip()
    except OSError:
        return None
    finally:
        os.close(fd)


def setting_paths(links):
    """ip_forward first: it sets others. A link's own IPv4 settings are not here, but in what netlink says of it."""
    paths = ["net/ipv4/ip_forward"]
    paths += ["net/ipv4/" + name for name in names_in("net/ipv4") if PLAIN.match(name) and name != "ip_forward"]
    for which in ("all", "default"):
        base = "net/ipv4/conf/%s/" % which
        paths += [base + name for name in names_in(base) if name != "mc_forwarding"]
    for which in ("all", "default", *(link.name for link in links.values())):
        paths += ["net/ipv6/conf/%s/%s" % (which, name) for name in SIX]
    paths += ["net/bridge/" + name for name in names_in("net/bridge")]
    return paths + ["net/netfilter/" + name for name in names_in("net/netfilter") if TRACK.match(name)]


def settings_of(place, links):
    enter(place.fd)
    found = ((path, setting(path)) for path in setting_paths(links))
    return {path: value for path, value in found if value is not None}


def bring_settings(wanted, place, only):
    """Writes what differs; what can't be written shows in the comparison."""
    enter(place.fd)
    for path, value in wanted.items():
        if only(path) and setting(path) != value:
            try:
                with open("/proc/sys/" + path, "wb", buffering=0) as file:
                    file.write(value)
            except OSError:
                pass
