"""Has anything changed? A fingerprint of all that a verdict may stand on, by system calls alone, a few ms a namespace.

What moves by itself or by our own packets is in none of it: counters, timers, carriers, neighbours, connections, learnt
MAC addresses, elements of dynamic sets, link-local IPv6.
"""
PARTS = ("names", "links", "addresses", "routes", "rules", "nft", "legacy", "sysctls", "sockets", "files")
STEADY_BRIDGE = (5, 7, 36, 37, 38)  # IFLA_BR_: STP_STATE, VLAN_FILTERING, NF_CALL_IPTABLES, _IP6TABLES, _ARPTABLES
STEADY_PORT = (4, 8, 9, 10, 27, 33)  # IFLA_BRPORT_: MODE (hairpin), LEARNING, UNICAST_FLOOD, PROXYARP, MCAST_FLOOD, ISOLATED


def links(link):
    """Also every conf/DEVICE setting of IPv4 and IPv6: IFLA_INET_CONF, IFLA_INET6_CONF."""
    for answer in link.dump(18, struct.pack("=B3xHiII", 0, 0, 0, 0, 0) + attribute(29, struct.pack("=I", 8))):  # no statistics
        index, flags = struct.unpack_from("=iI", answer, 4)
        has = attributes(answer[16:])
        info, families = attributes(has.get(18, b"")), attributes(has.get(26, b""))
        data, port = attributes(info.get(2, b"")), attributes(info.get(5, b""))
        yield [index, flags & 1, [has.get(kind) for kind in (3, 1, 4, 5, 10, 37)], info.get(1), [data.get(kind) for kind in STEADY_BRIDGE],
               [port.get(kind) for kind in STEADY_PORT], attributes(families.get(2, b"")).get(1), attributes(families.get(10, b"")).get(2)]


def addresses(link):
    for answer in link.dump(22, b"\0" * 8):
        family, prefix, _, scope, index = struct.unpack_from("=BBBBI", answer)
        has = attributes(answer[8:])
        if family == socket.AF_INET or scope != 253:
            yield [family, prefix, scope, index, has.get(1), has.get(2)]


def routes(link):
    for answer in link.dump(26, b"\0" * 12):
        flags = struct.unpack_from("=I", answer, 8)[0]
        if not flags & 0x200 and not (answer[0] == socket.AF_INET6 and answer[5] == 2):  # cloned; the kernel's own
            yield [answer[:8], sorted((kind, data) for kind, data in attributes(answer[12:]).items() if kind not in (12, 23))]


def rules(link):
    return link.dump(34, b"\0" * 12)


def generation():
    """Of nftables: it counts transactions, and nothing that packets do (NFT_MSG_GETGEN)."""
    try:
        link = Netlink(NETFILTER)
        found = [attributes(answer[4:]).get(1) for answer in link.ask(0xA10, b"\0" * 4)]
        link.close()
        return found
    except OSError:
        return None  # a kernel without nftables


def legacy():
    """Entries of iptables-legacy's tables without their counters: IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES."""
    for family, level, names, next_at, counters_at in ((socket.AF_INET, 0, "ip_tables_names", 90, 96),
                                                       (socket.AF_INET6, 41, "ip6_tables_names", 142, 152)):
        for name in (text(read("/proc/thread-self/net/" + names)) or "").split():
            with socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
                info = option(sock, level, 64, name.encode().ljust(84, b"\0"))
                size = struct.unpack_from("=I", info, 80)[0]
                entries = bytearray(option(sock, level, 65, name.encode().ljust(32, b"\0") + struct.pack("=II", size, 0) + b"\0" * size)[40:])
            at = 0
            while at + counters_at + 16 <= len(entries):
                entries[at + counters_at:at + counters_at + 16] = b"\0" * 16
                step = struct.unpack_from("=H", entries, at + next_at)[0]
                if step < 112:
                    break
                at += step
            yield [family, name, info[32:84], bytes(entries)]


def option(sock, level, number, given):
    buffer, size = ctypes.create_string_buffer(given, len(given)), ctypes.c_uint32(len(given))
    if libc.getsockopt(sock.fileno(), level, number, buffer, ctypes.byref(size)):
        fail("getsockopt")
    return buffer.raw


def settings():
    """What no link's message has."""
    return sysctls(("all", "default"))


def waiting():
    """A listener that is made anew for each client is the same one; link-local IPv6 a server takes when it comes."""
    found = {(entry["protocol"], entry["address"], entry["port"]) for entry in listeners()}
    return sorted(entry for entry in found if (entry[0] == "tcp" or entry[2] < 32768) and not entry[1].startswith("[fe80:"))


def inside():
    """Of the namespace that this thread is in."""
    link = Netlink(ROUTE)
    found = {"links": list(links(link)), "addresses": list(addresses(link)), "routes": list(routes(link)), "rules": rules(link)}
    link.close()
    return {**found, "nft": generation(), "legacy": list(legacy()), "sysctls": settings(), "sockets": waiting()}


def steady(view, spaces):
    """8 hexadecimal digits for each of PARTS, joined by `-`. `spaces`: file descriptors by name."""
    view.begin("settings", [name[6:] for name in spaces if name.startswith("netns ")])
    found = each(spaces, lambda name: inside())
    parts = {part: [(name, found[name].get(part)) for name in sorted(found)] for part in PARTS}
    parts["names"], parts["files"] = view.answer()[0]
    return "-".join(hashlib.sha256(repr(parts[part]).encode()).hexdigest()[:8] for part in PARTS)


def files_of_names(fds, names):
    """The names in /run/netns, and a hash of the files by which names are looked up."""
    opened = []
    found = [(entry["name"], entry["inode"]) for entry in named(opened)]
    for fd in opened:
        os.close(fd)
    held = [[name, sorted(etc([], name).items(), key=str)] for name in ["root"] + names]
    return found, hashlib.sha256(repr(held).encode()).hexdigest()


SIGHTS["settings"] = files_of_names
