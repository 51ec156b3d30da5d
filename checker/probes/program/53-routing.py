"""Addresses, routes, policy rules and neighbours: dumped in one form, told again where the copy has not got them."""
INET, INET6, BRIDGE = 2, 10, 7


def addresses_of(place):
    """[(key, message body)]; IPv6 addresses that the kernel made by itself are left out."""
    found = []
    for _, body in place.route.dump(22, struct.pack("=BBBBI", 0, 0, 0, 0, 0)):
        family, prefix, _, scope, index = struct.unpack_from("=BBBBI", body)
        have = dict(attrs(body[8:]))
        flags = u32(have.get(8))
        if family == INET6 and (scope != 0 or not flags & 0x80):  # IFA_F_PERMANENT
            continue
        kept = [(key, have[key]) for key in (1, 2, 3, 4, 9) if key in have]  # ADDRESS LOCAL LABEL BROADCAST RT_PRIORITY
        set_by_hand = flags & 0x200 | (2 if family == INET6 else 0)  # NOPREFIXROUTE; NODAD
        told = struct.pack("=BBBBI", family, prefix, 0, scope, index) + pack(*kept, (8, set_by_hand))
        key = (family, prefix, scope, index, flags & (1 if family == INET else 0), set_by_hand, *kept)
        found.append((key, told))
    return found


def routes_of(place):
    found = []
    for family in (INET, INET6):
        for _, body in place.route.dump(26, struct.pack("=BBBBBBBBI", family, *[0] * 8)):
            if body[0] != family:
                continue
            head = list(struct.unpack_from("=BBBBBBBBI", body))
            head[8] &= 4  # RTNH_F_ONLINK; the rest says how the links are
            have = dict(attrs(body[12:]))
            if 30 in have:
                raise Trouble("a route by a nexthop object")
            if family == INET6 and (head[5] in (2, 9) or u32(have.get(15)) == 255):  # kernel, ra; table local
                continue
            kept = [(key, hops(value) if key == 9 else value) for key, value in sorted(have.items())
                    if key not in (12, 23) and not (family == INET6 and key == 20)]  # CACHEINFO, EXPIRES, PREF
            found.append(((*head, *kept), struct.pack("=BBBBBBBBI", *head) + pack(*kept)))
    return found


def hops(data):
    """RTA_MULTIPATH without what its next hops say of their links."""
    made, at = b"", 0
    while at + 8 <= len(data):
        length, flags = struct.unpack_from("=HB", data, at)
        made += data[at:at + 2] + bytes([flags & 4]) + data[at + 3:at + length]
        at += max(8, (length + 3) & ~3)
    return made


def rules_of(place):
    found = []
    for family in (INET, INET6):
        try:
            dumped = place.route.dump(34, struct.pack("=B11x", family))
        except Refused:
            continue  # no IPv6 here
        for _, body in dumped:
            head, flags = body[:8], u32(body[8:12]) & 2  # FIB_RULE_INVERT
            kept = sorted(attrs(body[12:]))
            found.append(((head, flags, *kept), head + struct.pack("=I", flags) + pack(*kept)))
    return found


def neighbours_of(place):
    """Permanent ones, proxies, and a bridge's own static entries."""
    found = []
    for family, flags in ((0, 0), (0, 8), (BRIDGE, 0)):  # 8: NTF_PROXY
        for _, body in place.route.dump(30, struct.pack("=B3xiHBB", family, 0, 0, flags, 0)):
            kind, index, state, ours, type_of = struct.unpack_from("=B3xiHBB", body)
            have = dict(attrs(body[12:]))
            ports = family == BRIDGE
            if not flags and not state & (0xC0 if ports else 0x80) or ports and 9 not in have:
                continue
            kept = [(key, have[key]) for key in (1, 2, 5) if key in have]  # DST LLADDR VLAN
            told = struct.pack("=B3xiHBB", kind, index, state, 4 if ports else flags, 0)
            found.append(((kind, index, state, flags, *kept), told + pack(*kept)))
    return found


class Subject:
    """One kind of thing: how it is dumped, and the messages that add and take away one."""

    def __init__(self, name, dump, new, delete):
        self.name, self.dump, self.new, self.delete = name, dump, new, delete


SUBJECTS = (Subject("address", addresses_of, 20, 21), Subject("neighbour", neighbours_of, 28, None),
            Subject("policy rule", rules_of, 32, 33), Subject("route", routes_of, 24, 25))


def bring(subject, wanted, place):
    """Takes away what the original lacks, adds what the copy lacks. What one needs may come after it: so again."""
    now = {key for key, _ in subject.dump(place)}
    keys = {key for key, _ in wanted}
    if subject.delete:
        for key, body in [pair for pair in subject.dump(place) if pair[0] not in keys] if now - keys else []:
            place.route.tell(subject.delete, body)
    left = [body for key, body in wanted if key not in now]
    while left:
        again, reason = [], None
        for body in left:
            try:
                place.route.tell(subject.new, body, CREATE | APPEND if subject.new == 24 else CREATE)
            except Refused as error:
                again.append(body)
                reason = error
        if len(again) == len(left):
            raise Trouble("a %s of %s can't be made: %s" % (subject.name, place.name, reason))
        left = again
