"""Says a line when it listens, and one for each batch of changes of the lab host's network, until nobody reads it.

P has {"quiet": seconds without an event that end a batch, "most": seconds that a batch may take, "tick": seconds}. A line
is `NONCE ` and a JSON list of what the changes were about. Nothing is polled but what has no event, and that each `tick`.
"""
# rtnetlink(7): links, addresses, routes, policy rules, nsids, netconf; nfnetlink: nf_tables.
ROUTE_GROUPS = 1 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 18 | 1 << 23 | 1 << 24 | 1 << 27
NFT_GROUPS = 1 << 6
SOL_NETLINK, NETLINK_LISTEN_ALL_NSID = 270, 8


def listen(protocol, groups):
    """Events of this namespace and, as far as it has a number for them, of all others; none of them is held by it."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
    sock.setsockopt(SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1)
    sock.bind((0, groups))
    sock.setblocking(False)
    return sock


def by_itself(kind, body):
    """Is it what steady() leaves out too? A link-local IPv6 address that was found free a second or two after its link came
    up, the kernel's own IPv6 routes (RTPROT_KERNEL) that come with it, cloned routes."""
    if kind in (20, 21) and len(body) >= 8:
        return body[0] == socket.AF_INET6 and body[3] == 253
    if kind in (24, 25) and len(body) >= 12:
        return bool(struct.unpack_from("=I", body, 8)[0] & 0x200) or (body[0] == socket.AF_INET6 and body[5] == 2)
    return False


def drain(sock, routes):
    """Reads all that there is. Was there a change in it?"""
    changed = False
    try:
        while True:
            data, at = sock.recv(1 << 17), 0
            changed = changed or not routes
            while at + 16 <= len(data):
                length, kind = struct.unpack_from("=IH", data, at)
                changed = changed or not by_itself(kind, data[at + 16:at + length])
                at += max(16, (length + 3) & ~3)
    except OSError as error:
        return changed or error.errno != errno.EAGAIN  # ENOBUFS: there was more than could be kept


def say(what):
    sys.stdout.buffer.write(b"%s %s\n" % (P["nonce"].encode(), json.dumps(sorted(what)).encode()))
    sys.stdout.buffer.flush()


def main():
    view, poll = View(), select.poll()
    sources = {"links": listen(ROUTE, ROUTE_GROUPS), "nftables": listen(NETFILTER, NFT_GROUPS)}
    mounted = open("/proc/%d/mountinfo" % VIEW)  # proc(5): a change of the mounts is POLLERR and POLLPRI
    names = {sock.fileno(): name for name, sock in sources.items()}
    for fd in names:
        poll.register(fd, select.POLLIN)
    poll.register(mounted.fileno(), select.POLLERR | select.POLLPRI)
    poll.register(1, 0)  # POLLERR or POLLHUP: nobody reads any more
    before = state(view)
    say(["ready"])
    what, first, last, tick = set(), None, None, time.monotonic() + P["tick"]
    while True:
        now = time.monotonic()
        until = tick if first is None else min(last + P["quiet"], first + P["most"])
        for fd, _ in poll.poll(max(0, until - now) * 1000):
            if fd == 1:
                return
            if fd in names and not drain(sources[names[fd]], names[fd] == "links"):
                continue
            what.add(names.get(fd, "mounts"))
            last = time.monotonic()
            first = first or last
        now = time.monotonic()
        if first is not None and now >= min(last + P["quiet"], first + P["most"]):
            say(what)
            what, first, tick, before = set(), None, now + P["tick"], state(view)
        elif first is None and now >= tick:
            after = state(view)
            if after != before:
                say(["settings or processes"])
            before, tick = after, time.monotonic() + P["tick"]


main()
os._exit(0)
