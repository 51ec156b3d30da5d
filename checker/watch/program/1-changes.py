"""What changes without an event, hashed: kernel settings, listeners, processes, names, iptables-legacy."""
IPT_GET_INFO, IPT_GET_ENTRIES = 64, 65
FAMILIES = (("ip_tables_names", socket.AF_INET, socket.SOL_IP, 84), ("ip6_tables_names", socket.AF_INET6, 41, 136))


def legacy():
    """Rules of the legacy tables that are registered, their counters left out (struct ipt_entry, x_tables.h)."""
    found = []
    for names, family, level, address in FAMILIES:
        for table in (text(read("/proc/thread-self/net/" + names, 4096)) or "").split():
            sock = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
            name = table.encode().ljust(32, b"\0")
            try:
                info = sockopt(sock, level, IPT_GET_INFO, name + b"\0" * 52)
                size = struct.unpack_from("=I", info, 80)[0]
                rules = bytearray(sockopt(sock, level, IPT_GET_ENTRIES, name + struct.pack("=I", size) + b"\0" * (size + 4)))
                found.append([table, digest_of(rules, 40, address)])
            except OSError as error:
                found.append([table, str(error)])
            finally:
                sock.close()
    return found


def sockopt(sock, level, option, given):
    """getsockopt(2) with a buffer that says what is asked for, which Python's own can't do."""
    data, length = ctypes.create_string_buffer(given, len(given)), ctypes.c_uint(len(given))
    if libc.getsockopt(sock.fileno(), level, option, data, ctypes.byref(length)):
        fail("getsockopt")
    return data.raw[:length.value]


def digest_of(rules, at, address):
    """A hash of the entries with their counters zeroed: address part, nfcache, two offsets, comefrom, then the counters."""
    while at + address + 12 <= len(rules):
        offset = struct.unpack_from("=H", rules, at + address + 6)[0]
        counters = (at + address + 12 + 7) & ~7
        rules[counters:counters + 16] = b"\0" * 16
        if offset == 0:
            break
        at += offset
    return hashlib.sha256(bytes(rules)).hexdigest()


def handed_in(fds):
    """The learner's answers and captures, by name, size and time."""
    found = []
    for folder in ("/root/answers", "/root/captures"):
        for name in sorted(listing(folder))[:64]:
            try:
                about = os.lstat(os.path.join(folder, name))
            except OSError:
                continue
            found.append([folder, name, about.st_size, about.st_mtime_ns])
    return found


SIGHTS["handed in"] = handed_in


def state(view):
    """A hash of it all. Namespaces are let go of at once: what is held can't be deleted."""
    names, fds = view.ask("named")
    spaces = {"root": HERE, **{entry["name"]: fds[entry["fd"]] for entry in names if entry["fd"] is not None}}
    try:
        inside = each(spaces, lambda scope: [sysctls(), legacy(), sorted([one["protocol"], one["address"], one["port"]]
                                             for one in listeners() if one["protocol"] == "tcp" or one["port"] < 32768)])
    finally:
        for fd in fds:
            os.close(fd)
    found = [inside, sorted(entry["name"] for entry in names), {scope: view.ask("etc", scope)[0] for scope in spaces},
             sorted(process["pid"] for process in Processes().elsewhere()), view.ask("handed in")[0]]
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()
