"""nftables dumped and told again, attribute by attribute: net/netfilter/nf_tables_api.c, nft_compat.c.

What the kernel numbers or counts by itself (handles, positions, uses) is left out. iptables-nft's own matches and targets
are opaque blobs that the kernel takes back as it gave them. What is not known here ends in Trouble.
"""
TABLE, CHAIN, RULE, SET, ELEMENT, OBJECT, FLOWTABLE = 0, 3, 6, 9, 12, 18, 22
KEPT = {TABLE: {1, 2, 6}, CHAIN: {1, 3, 4, 5, 7, 10, 12}, RULE: {1, 2, 4, 7}, SET: {*range(1, 10), 11, 12, 13, 15, 17, 18},
        ELEMENT: {1, 2, 3}, OBJECT: {1, 2, 3, 4, 8}}
LEFT_OUT = {TABLE: {3, 4, 5, 7}, CHAIN: {2, 6, 8, 9, 11}, RULE: {3, 5, 6, 8, 9}, SET: {10, 14, 16, 19, 20},
            ELEMENT: {4}, OBJECT: {5, 6, 7}}
ANONYMOUS, TIMED, EVALUATED = 1, 16, 32


def nft_head(family):
    return struct.pack("=BBH", family, 0, 0)


def nft_of(place):
    """[(kind, family, attributes)] in the order in which they can be made."""
    found = []
    for kind in (TABLE, CHAIN, OBJECT, FLOWTABLE, SET, RULE):
        try:
            dumped = place.nft.dump(10 << 8 | kind + 1, nft_head(0))
        except Refused:
            if kind in (OBJECT, FLOWTABLE):
                continue  # a kernel without them
            raise
        for _, payload in dumped:
            known(kind, payload)
            entry = (kind, payload[0], [pair for pair in attrs(payload[4:]) if pair[0] in KEPT[kind]])
            found.append(entry)
            if kind == SET:
                found += elements_of(place, entry)
    return sorted(found, key=lambda entry: (TABLE, CHAIN, OBJECT, SET, ELEMENT, RULE).index(entry[0]))


def known(kind, payload):
    if kind == FLOWTABLE:
        raise Trouble("nft has a flowtable")
    strange = [key for key, _ in attrs(payload[4:]) if key not in KEPT[kind] and key not in LEFT_OUT[kind]]
    if strange:
        raise Trouble("nft says something that is not known here (%d of %d)" % (strange[0], kind))


def elements_of(place, entry):
    _, family, have = entry
    table, name = dict(have)[1], dict(have)[2]
    found = []
    for _, payload in place.nft.dump(10 << 8 | ELEMENT + 1, nft_head(family) + pack((1, table), (2, name))):
        if any(key == 3 for key, _ in attrs(payload[4:])):
            found.append((ELEMENT, family, [pair for pair in attrs(payload[4:]) if pair[0] in (1, 2, 3)]))
    return found


def compat_of(expressions):
    """(protocol, inverted) that a rule of iptables-nft names: its matches and targets ask for it, and no dump shows it."""
    loaded = False
    for _, body in attrs(expressions):
        have = dict(attrs(body))
        name, data = word(have.get(1, b"")), dict(attrs(have.get(2, b"")))
        if name == "cmp" and loaded:
            value = dict(attrs(data.get(3, b""))).get(1, b"")
            return value[0], data.get(2, b"\0" * 4)[3] == 1
        be = {key: int.from_bytes(value, "big") for key, value in data.items() if len(value) == 4}
        loaded = name == "meta" and be.get(2) == 16 or name == "payload" and (be.get(2), be.get(3), be.get(4)) == (1, 9, 1)
    return None


def nft_under(dumped, policy):
    """The same with another policy of iptables-nft's FORWARD (None: as it is), made if it was not there and is to drop."""
    if policy is None:
        return dumped
    number = struct.pack("!I", policy == "accept")
    changed, there, table = [], False, False
    for kind, family, have in dumped:
        said = dict(have)
        is_ours = family == INET and word(said[1]) == "filter"
        table |= is_ours and kind == TABLE
        if kind == CHAIN and is_ours and word(said[3]) == "FORWARD" and 4 in said:
            there = True
            have = [(key, number if key == 5 else value) for key, value in have]
        changed.append((kind, family, have))
    if policy == "drop" and not there:
        name = (1, b"filter\0")
        hook = [(1, struct.pack("!I", 2)), (2, struct.pack("!I", 0))]
        made = [] if table else [(TABLE, INET, [name])]
        chain = (CHAIN, INET, [name, (3, b"FORWARD\0"), (4, pack(*hook)), (5, number), (7, b"filter\0")])
        changed = sorted(made + changed + [chain], key=lambda entry: (TABLE, CHAIN, OBJECT, SET, ELEMENT, RULE).index(entry[0]))
    return changed


def nft_make(dumped, place):
    """All of it in one batch."""
    if not dumped:
        return
    talk = place.nft
    border = struct.pack("=BBH", 0, 0, socket.htons(10))
    batch = [talk.message(16, border, 0)]
    for number, (kind, family, have) in enumerate(dumped):
        told = [(key | (NESTED if nested(kind, key) else 0), value) for key, value in have]
        flags = CREATE | (APPEND if kind == RULE else 0)
        if kind == TABLE:
            told = [(key, struct.pack("!I", u32(value[::-1]) & 1) if key == 2 else value) for key, value in told]
        elif kind == CHAIN:
            # A rule's own block comes back as a chain that it jumps to by name.
            told = [(key, struct.pack("!I", u32(value[::-1]) & ~4) if key == 10 else value) for key, value in told]
        elif kind == SET:
            told.append((10, struct.pack("!I", number + 1)))
        elif kind == RULE:
            protocol = compat_of(dict(have).get(4, b""))
            if protocol:
                compat = [(1, struct.pack("!I", protocol[0])), (2, struct.pack("!I", 2 if protocol[1] else 0))]
                told.append((5, compat))
        last = ACK if number == len(dumped) - 1 else 0
        batch.append(talk.message(10 << 8 | kind, nft_head(family) + pack(*told), flags | last))
        serial = talk.serial
    batch.append(talk.message(17, border, 0))
    talk.sock.send(b"".join(batch))
    try:
        list(talk.answers(serial))
    except Refused as error:
        raise Trouble("the nftables of %s can't be made: %s" % (place.name, error)) from error


def nested(kind, key):
    return (kind, key) in ((CHAIN, 4), (RULE, 4), (SET, 9), (SET, 17), (SET, 18), (ELEMENT, 3), (OBJECT, 4))


def nft_picture(dumped):
    """In a form to compare: what counts or runs down is left out, an anonymous chain is any chain of its name."""
    timed, found = set(), []
    for kind, family, have in dumped:
        said = dict(have)
        if kind == SET and u32(said.get(3, b"\0" * 4)[::-1]) & (TIMED | EVALUATED):
            timed.add((family, said[1], said[2]))
        if kind == ELEMENT:
            if (family, said[1], said[2]) not in timed:
                found += [(kind, family, said[1], said[2], still(element)) for _, element in attrs(said[3])]
            continue
        if kind == RULE:
            said[4] = tuple(expression(body) for _, body in attrs(said.get(4, b"")))
        elif kind == OBJECT and u32(said.get(3, b"\0" * 4)[::-1]) in (1, 2):
            said[4] = b""
        elif kind in (TABLE, CHAIN):
            key, mask = (2, 1) if kind == TABLE else (10, ~4)
            said[key] = u32(said.get(key, b"\0" * 4)[::-1]) & mask
        found.append((kind, family, *sorted(said.items())))
    rules = [entry for entry in found if entry[0] == RULE]
    return sorted((entry for entry in found if entry[0] != RULE), key=repr) + rules


def expression(body):
    have = dict(attrs(body))
    name = word(have.get(1, b""))
    if name in ("counter", "last"):
        return name
    if name == "quota":
        return name, tuple(pair for pair in attrs(have.get(2, b"")) if pair[0] in (1, 2))
    return name, have.get(2, b"")


def still(element):
    return tuple((key, value) for key, value in attrs(element) if key in (1, 2, 3, 9, 10))
