"""All experiments at once, and what came of them."""


KINDS = {"icmp": icmp, "http": http, "https": https, "lookup": lookup}


def perform(place, probe, results):
    result = {"ok": False, "stage": "start", "error": None}
    before = time.monotonic()
    try:
        place.enter(probe["in"])
        result.update(KINDS[probe["kind"]](place, probe, result, clock.now() + P["seconds"]))
        result["ok"] = True
        result["stage"] = "done"
    except Exception as error:
        result["error"] = (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:200]
        result["errno"] = errno.errorcode.get(getattr(error, "errno", None) or 0)
    result["ms"] = round((time.monotonic() - before) * 1000)
    if probe["id"] == P["control"]:
        clock.grant(time.monotonic() - before)
    results[probe["id"]] = result


def experiment(place):
    """Does all of a place's probes at once; what a Run of probes/evidence.ts has."""
    capture, results = Capture(place), {}
    capture.open()
    capture.start()
    threads = [threading.Thread(target=perform, args=(place, probe, results), daemon=True) for probe in place.probes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    time.sleep(0.03)  # packets that are still on their way through the namespaces
    return {"results": results, "seen": capture.finish(), "over": capture.over, "drops": capture.drops()}


def entries(spaces, protocol, kind, body):
    """What the kernel has of such entries in all the namespaces; nothing where it can't tell."""
    for fd in spaces.values():
        try:
            enter(fd)
            link = Netlink(protocol)
            yield from link.dump(kind, body)
            link.close()
        except OSError:
            pass
        finally:
            enter(HERE)


def asked(spaces):
    """Is a neighbour being asked for by ARP? The kernel asks again a second later, not sooner: arp(7), retrans_time_ms."""
    found = entries(spaces, ROUTE, 30, struct.pack("=B11x", socket.AF_INET))  # RTM_GETNEIGH
    return any(struct.unpack_from("=H", entry, 8)[0] & 1 for entry in found)  # NUD_INCOMPLETE


def tracked(spaces):
    """The ports that conntrack remembers: what comes from one again is translated, or not, as it was then."""
    ports = set()
    for entry in entries(spaces, NETFILTER, 0x101, struct.pack("=B3x", socket.AF_INET)):  # IPCTNL_MSG_CT_GET
        of = attributes(entry[4:])
        for way in (1, 2):  # CTA_TUPLE_ORIG, CTA_TUPLE_REPLY
            numbers = attributes(attributes(of.get(way, b"")).get(2, b""))  # CTA_TUPLE_PROTO
            ports.update(struct.unpack("!H", numbers[end])[0] for end in (2, 3) if len(numbers.get(end, b"")) == 2)
    return ports


def original(view, found):
    """The lab host itself as a place: its namespaces, as `spaces_of` found them, by the names that probes have."""
    spaces = {name[6:]: fd for name, fd in found.items() if name.startswith("netns ")}
    spaces.update((name, found[name]) for name in ("root", "world") if name in found)
    asking = {probe["in"] for probe in P["probes"] if probe["kind"] in ("lookup", "https")}
    return Place(spaces, P["probes"], {name: view.ask("etc", name)[0] for name in asking})


def main(view):
    global clock
    spaces = spaces_of(view, Processes())[0]
    before = steady(view, spaces)
    place = original(view, spaces)
    slow = slowness()
    P["seconds"] = max(P["seconds"], min(P["slow"] * slow, Patience.most))
    place.shunned = tracked(place.spaces)
    if asked(place.spaces):
        P["seconds"] = max(P["seconds"], 1.2)
    P["grace"] = max(0.1, min(5 * slow, 0.4))  # for the start and the end of a program that asks in our place
    ENV["RES_OPTIONS"] = "timeout:%d attempts:2" % max(1, P["seconds"] / 2)
    copies = begin_copies(place)  # forks: before there is a second thread
    clock = Patience()
    watch = Watch(place)
    watch.open()
    watch.start()
    found = experiment(place)
    changes = watch.finish()
    return {**found, "changes": changes, "copies": take_copies(copies), "lost": round(clock.lost * 1000),
            "steady": {"before": before, "after": steady(view, spaces)}}


view = View()
send(main(view))
os._exit(0)
