"""Links of a namespace, as they are and made again: RTM_GETLINK, RTM_NEWLINK."""
AF_BRIDGE = 7
UP, NOARP, PROMISC, ALLMULTI, MULTICAST, LOWER_UP = 1, 0x80, 0x100, 0x200, 0x1000, 0x10000
SETTABLE = UP | NOARP | PROMISC | ALLMULTI | MULTICAST
ADDRESS, IFNAME, MTU, LINK, MASTER, OPERSTATE, LINKINFO, AF_SPEC, GROUP, NET_NS_FD, EXT_MASK, LINK_NETNSID, XDP = \
    1, 3, 4, 5, 10, 16, 18, 26, 27, 28, 29, 37, 43
# Of IFLA_BR_* and IFLA_BRPORT_*: what is set, not what the bridge reports of itself.
BRIDGE_SET = {*range(1, 10), 20, *range(22, 40), *range(41, 47), 49}
PORT_SET = {2, 3, *range(4, 13), 25, *range(27, 34), 39, 40, 42, 43}
BY_DATA = ("vlan", "macvlan", "ipvlan")
QUEUES = ("noqueue", "mq", "pfifo_fast", "fq_codel", "pfifo")


class Link:
    """One link as RTM_NEWLINK shows it."""

    def __init__(self, payload):
        _, self.index, self.flags = struct.unpack_from("=B3xiI", payload)
        found = dict(attrs(payload[16:]))
        self.name, self.mac, self.mtu = word(found[IFNAME]), found.get(ADDRESS, b""), u32(found.get(MTU))
        self.master, self.link, self.group = u32(found.get(MASTER)), u32(found.get(LINK)), u32(found.get(GROUP))
        self.running = found.get(OPERSTATE, b"\0")[0] == 6  # IF_OPER_UP, RFC 2863
        self.nsid = u32(found[LINK_NETNSID]) if LINK_NETNSID in found else None
        info = dict(attrs(found.get(LINKINFO, b"")))
        self.kind = word(info.get(1, b"")) or ("loopback" if self.flags & 8 else "")
        self.raw = info.get(2, b"")
        self.data = {key: value for key, value in attrs(self.raw) if self.kind != "bridge" or key in BRIDGE_SET}
        slave = dict(attrs(info.get(5, b""))) if info.get(4, b"").startswith(b"bridge") else {}
        self.state = slave.get(1)
        self.port = {key: value for key, value in slave.items() if key in PORT_SET}
        inet = dict(attrs(dict(attrs(found.get(AF_SPEC, b""))).get(2, b""))).get(1, b"")
        self.conf = [value for (value,) in struct.iter_unpack("=I", inet)]
        self.xdp = dict(attrs(found.get(XDP, b""))).get(2, b"\0")[0]
        self.peer = None  # (place, index)

    def picture(self, names):
        """What must be the same in a copy."""
        conf = [value for number, value in enumerate(self.conf) if number != 1]  # mc_forwarding is not set by hand
        # A bridge's carrier follows from its ports, except that one without any keeps what it had at first.
        carrier = 0 if self.kind == "bridge" else LOWER_UP
        return {"kind": self.kind, "address": self.mac.hex(), "mtu": self.mtu, "flags": self.flags & (SETTABLE | carrier),
                "master": names.get(self.master, self.master), "group": self.group, "options": canonical(self.data),
                "port": canonical(self.port), "state": self.state and self.state.hex(), "settings": conf, "peer": self.peer}


def canonical(found):
    return {str(key): value.hex() for key, value in sorted(found.items())}


def header(index, flags=0, change=0):
    return struct.pack("=BxHiII", 0, 0, index, flags, change)


def links_of(place):
    body = header(0) + pack((EXT_MASK, 8))  # RTEXT_FILTER_SKIP_STATS
    return {link.index: link for link in (Link(payload) for _, payload in place.route.dump(18, body))}


def queues_of(place, links):
    """A queueing discipline that loses or delays would have to be copied: it is not."""
    for _, payload in place.route.dump(38, struct.pack("=B3xiIII", 0, 0, 0, 0, 0)):
        index, kind = struct.unpack_from("=i", payload, 4)[0], word(dict(attrs(payload[20:])).get(1, b""))
        if kind not in QUEUES and index in links:
            raise Trouble("%s has a queueing discipline, %s" % (links[index].name, kind))


def nsid_of(place, fd):
    """The number by which a namespace knows another; None: by none."""
    for payload in place.route.tell(90, b"\0" * 4 + pack((3, fd))):
        number = struct.unpack("=i", dict(attrs(payload[4:])).get(1, b"\xff" * 4))[0]
        return None if number < 0 else number


def find_peers(states, fds):
    """Where each veth's other end is; `fds`: all namespaces that may be it, by name."""
    for state in states.values():
        known = {nsid_of(state.place, fd): name for name, fd in fds.items()}
        for link in state.links.values():
            if link.kind == "veth":
                name = state.place.name if link.nsid is None else known.get(link.nsid)
                link.peer = (name, link.link) if name else None


def make_links(states, places):
    """Every link of every place, still down and with no master."""
    made = {name: {1} for name in places}
    left = [(name, link) for name, state in states.items() for link in state.links.values() if name != "world"]
    while left:
        again = []
        for name, link in left:
            if link.index in made[name]:
                continue
            try:
                make_link(name, link, states, places, made)
            except Refused as error:
                again.append((name, link))
                reason = "%s of %s can't be made: %s" % (link.name, name, error)
        if len(again) == len(left):
            raise Trouble(reason)
        left = again


def make_link(name, link, states, places, made):
    common = [(IFNAME, link.name.encode() + b"\0"), (MTU, link.mtu), (GROUP, link.group)]
    if any(link.mac):  # a bridge whose last port is gone has none, and can't be given none
        common.append((ADDRESS, link.mac))
    info = [(1, link.kind.encode() + b"\0")]
    if link.kind == "veth":
        there, index = link.peer or ("nowhere", 0)
        if there not in places:
            places[there] = fresh(there)
            made[there] = {1}
        other = states[there].links.get(index) if there in states else None
        ends = [(NET_NS_FD, places[there].fd), (IFNAME, (other.name if other else "end%d" % link.index).encode() + b"\0")]
        if other:
            ends += [(ADDRESS, other.mac), (MTU, other.mtu), (GROUP, other.group)]
        info.append((2, [(1, header(index) + pack(*ends))]))
        made[there].add(index)
    elif link.kind in BY_DATA:
        common.append((LINK, link.link))
        info.append((2 | NESTED, link.raw))
    elif link.kind not in ("bridge", "dummy"):
        raise Trouble("%s of %s is of a kind that is not copied: %s" % (link.name, name, link.kind or "a device"))
    places[name].route.tell(16, header(link.index) + pack(*common, (LINKINFO, info)), CREATE | EXCL)
    made[name].add(link.index)


def join_links(state, place):
    """Masters first, then what bridges and ports are set to."""
    for link in state.links.values():
        if link.master:
            place.route.tell(16, header(link.index) + pack((MASTER, link.master)))
    now = links_of(place)
    for index, link in state.links.items():
        if link.kind == "bridge":
            changed = [(key, value) for key, value in link.data.items() if now[index].data.get(key) != value and key != 5]
            if changed:
                place.route.tell(16, header(index) + pack((LINKINFO, [(1, b"bridge\0"), (2, changed)])))
        changed = [(key, value) for key, value in link.port.items() if now[index].port.get(key) != value]
        if changed:
            place.route.tell(16, header(index) + pack((LINKINFO, [(4, b"bridge\0"), (5, changed)])))
        if now[index].mtu != link.mtu:  # a bridge takes the smallest of its ports', unless it was told another
            place.route.tell(16, header(index) + pack((MTU, link.mtu)))


def raise_links(state, place):
    """Up, with each link's own settings of IPv4 (net.ipv4.conf), which IFLA_INET_CONF takes by number."""
    now = links_of(place)
    for index, link in state.links.items():
        before = now[index].conf
        conf = [(number + 1, value) for number, value in enumerate(link.conf) if number != 1 and before[number] != value]
        more = pack((AF_SPEC, [(2, [(1, conf)])])) if conf else b""
        place.route.tell(16, header(index, link.flags & SETTABLE, SETTABLE) + more)


def spanning(state, place):
    """STP last: with it on, ports would first listen and learn for half a minute."""
    for index, link in state.links.items():
        if link.kind == "bridge" and u32(link.data.get(5)):
            place.route.tell(16, header(index) + pack((LINKINFO, [(1, b"bridge\0"), (2, [(5, link.data[5])])])))
