"""Disposable copies of the lab host's namespaces, each under another condition, each a child of ours with one pipe.

P["copies"]: {"conditions": [{"forwardPolicy", "bridgeNf", "own", "drop": [variants], "probes": [...]}], "world":
host/world.ts}. The namespaces have no name and no process but the child, which dies
with us (PR_SET_PDEATHSIG): a kill at any moment leaves nothing, and the original is only read.
"""
class State:
    """All of one original namespace that a copy is made from."""

    def __init__(self, name, fd):
        self.place = Space(name, fd)
        self.links = links_of(self.place)

    def look(self):
        queues_of(self.place, self.links)
        for link in self.links.values():
            if link.xdp:
                raise Trouble("%s has an XDP program" % link.name)
            if link.kind == "bridge" and u32(link.data.get(7, b"\0")[:1] + b"\0\0\0"):
                raise Trouble("%s filters VLANs" % link.name)
        self.things = {subject.name: subject.dump(self.place) for subject in SUBJECTS}
        self.settings = settings_of(self.place, self.links)
        self.nft, self.legacy = nft_of(self.place), legacy_of(self.place)
        self.listeners = listeners_of(self.place)


def distinct(place):
    """The namespaces of a place by name, one name each: those of the plan first."""
    inner = ["root", "world", *(probe["in"] for probe in P["probes"])]
    found, seen = {}, set()
    for name in sorted(place.spaces, key=lambda name: (name not in inner, name)):
        inode = os.fstat(place.spaces[name]).st_ino
        if inode not in seen:
            seen.add(inode)
            found[name] = place.spaces[name]
    return found


def originals(place):
    """The states of the lab host's own namespace, of the containers and of what their links lead to."""
    spaces = distinct(place)
    inner = {probe["in"] for probe in P["copies"]["conditions"][0]["probes"]} - {"world"} | {"root"}
    missing = sorted(inner - set(spaces))
    if missing or "world" not in spaces:
        raise Trouble("there is no network namespace of %s" % (missing or ["the world"])[0])
    states = {name: State(name, spaces[name]) for name in sorted(inner | {"world"})}
    while True:
        find_peers(states, spaces)
        led = {link.peer[0] for state in states.values() if state.place.name != "world" for link in state.links.values()
               if link.peer} - set(states)
        if not led:
            break
        states.update({name: State(name, spaces[name]) for name in sorted(led)})
    for name, state in states.items():
        if name != "world":
            state.look()
    return states


def copy_build(states, condition, servers):
    """The places of one copy, made and told all that was seen of the originals; and what could not be made."""
    places = {name: fresh(name) for name in states}
    mine = {name: state for name, state in states.items() if name != "world"}
    for name, state in mine.items():
        bring_settings(state.settings, places[name], lambda path: path.startswith(("net/ipv4", "net/ipv6/conf/all",
                                                                                    "net/ipv6/conf/default")))
    make_links(states, places)
    if "nowhere" in places:
        end_nowhere(mine, places["nowhere"])
    far = next((other.name for link in mine["root"].links.values() if link.peer and link.peer[0] == "world"
                for other in [states["world"].links.get(link.peer[1])] if other), "world0")
    for name, state in mine.items():
        bring_settings(state.settings, places[name], lambda path: path.startswith(("net/ipv6", "net/bridge")))
        join_links(state, places[name])
        bring(SUBJECTS[0], state.things["address"], places[name])
    for name, state in mine.items():
        raise_links(state, places[name])
    world_make(places["world"], P["copies"]["world"], far)
    missing = []
    for name, state in mine.items():
        for subject in SUBJECTS[1:]:
            bring(subject, state.things[subject.name], places[name])
        nft_make(state.nft, places[name])
        legacy_make(state.legacy, places[name])
        bring_settings(state.settings, places[name], lambda path: path.startswith(("net/netfilter", "net/bridge")))
        spanning(state, places[name])
        missing += relay_all(servers, state.listeners, places[name], state.place)
    world_serve(servers, places["world"], P["copies"]["world"])
    return places, missing


def end_nowhere(states, place):
    """The far ends of cables that lead out of what is copied: up where the original has a carrier."""
    enter(place.fd)
    carried = {"end%d" % link.index for state in states.values() for link in state.links.values() if link.flags & LOWER_UP}
    for link in links_of(place).values():
        if link.name in carried:
            place.route.tell(16, header(link.index, UP, UP))


def copy_condition(states, condition):
    """The states as the condition has them: FORWARD's policy where iptables keeps one, bridge-nf-call-iptables."""
    if condition["own"]:
        return
    root, drop = states["root"], condition["forwardPolicy"] == "drop"
    for variant in ("nft", "legacy"):
        policy = "drop" if drop and variant in condition["drop"] else "accept" if not drop else None
        if variant == "nft":
            root.nft = nft_under(root.nft, policy)
        else:
            root.legacy = legacy_under(root.legacy, policy)
    path = "net/bridge/bridge-nf-call-iptables"
    if path in root.settings:
        root.settings[path] = condition["bridgeNf"].encode()


def differences(states, places):
    """Where the copy is not like the original, in words; ports and carriers are given a moment to come up."""
    found, until = [], clock.now() + 0.7
    for name, state in states.items():
        if name == "world":
            continue
        names = {index: link.name for index, link in state.links.items()}
        wanted = {link.name: link.picture(names) for link in state.links.values()}
        while True:
            now = links_of(places[name])
            for link in now.values():
                link.peer = state.links[link.index].peer if link.index in state.links else None
            have = {link.name: link.picture(names) for link in now.values()}
            if have == wanted or clock.now() > until:
                break
            time.sleep(0.003)
        found += ["%s: link %s: %s" % (name, key, unlike(wanted.get(key), have.get(key)))
                  for key in sorted({*wanted, *have}) if wanted.get(key) != have.get(key)]
        for subject in SUBJECTS:
            found += unequal("%s: %s" % (name, subject.name), [key for key, _ in state.things[subject.name]],
                             [key for key, _ in subject.dump(places[name])])
        settings = settings_of(places[name], state.links)
        found += ["%s: %s is %s, not %s" % (name, path, settings.get(path), value)
                  for path, value in state.settings.items() if settings.get(path) != value]
        found += unequal(name + ": nftables", nft_picture(state.nft), nft_picture(nft_of(places[name])))
        if legacy_of(places[name]) != state.legacy:
            found.append("%s: iptables-legacy has other rules" % name)
    return found


def unlike(wanted, have):
    if not wanted or not have:
        return "is missing" if wanted else "is too much"
    return ", ".join("%s is %s, not %s" % (key, have[key], wanted[key]) for key in wanted if wanted[key] != have[key])


def unequal(what, wanted, have):
    extra, lacking = [key for key in have if key not in wanted], [key for key in wanted if key not in have]
    found = ["%s lacks %r" % (what, key) for key in lacking] + ["%s has %r too much" % (what, key) for key in extra]
    return found or ([] if wanted == have or sorted(wanted, key=repr) == sorted(have, key=repr) else ["%s: in another order" % what])


def copy_run(place, states, condition, turns):
    """All of it, in a child of its own: built, compared, and the experiments made."""
    global clock
    clock = Patience()
    copy = Place({}, condition["probes"], place.etc)
    servers = Servers(turns, copy.of_token)
    copy_condition(states, condition)
    places, missing = copy_build(states, condition, servers)
    servers.start()
    found = missing + differences(states, places)
    blank = {"results": {}, "seen": [], "over": False, "drops": {}}
    if found:
        return {**blank, "differences": [line[:300] for line in found[:50]], "error": None}
    copy.spaces = {name: space.fd for name, space in places.items()}
    KINDS["lookup"] = ask_name
    return {**experiment(copy), "differences": [], "error": None, "relayed": list(servers.relayed.values())}


class Copy:
    def __init__(self, place, states, condition, turns):
        self.condition, self.got = condition, b""
        self.pipe, theirs = os.pipe()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
            if os.getppid() != parent:
                os._exit(1)
            try:
                os.close(self.pipe)
                answer = copy_run(place, states, condition, turns)
                seen = answer.pop("relayed", []) + [sight for sight in answer["seen"] if sight["probe"]]
                answer["seen"] = seen[:700]
                answer["over"] |= len(seen) > 700
            except BaseException as error:
                answer = {"results": {}, "seen": [], "over": False, "drops": {}, "differences": [],
                          "error": ("%s" % error or type(error).__name__)[:300]}
            with os.fdopen(theirs, "wb") as file:
                file.write(json.dumps(answer).encode())
            os._exit(0)
        os.close(theirs)

    def take(self, until):
        """What came of it, at the latest when `until` is there."""
        while True:
            found = select.select([self.pipe], [], [], max(0, until - time.monotonic()))[0]
            data = os.read(self.pipe, 1 << 16) if found else b""
            self.got += data
            if not data or len(self.got) > 1 << 20:
                break
        os.close(self.pipe)
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except OSError:
            pass
        names = {"forwardPolicy": self.condition["forwardPolicy"], "bridgeNf": self.condition["bridgeNf"]}
        try:
            return {"condition": names, **json.loads(self.got)}
        except ValueError:
            return copy_failed(names, "it did not come to its end")


def copy_failed(names, why):
    return {"condition": {"forwardPolicy": names["forwardPolicy"], "bridgeNf": names["bridgeNf"]}, "results": {}, "seen": [],
            "over": False, "drops": {}, "differences": [], "error": why[:300]}


def begin_copies(place):
    """Starts a child for each condition; a list of Copy, or of what says why there are none."""
    wanted = (P.get("copies") or {"conditions": []})["conditions"]
    if not wanted:
        return []
    try:
        states = originals(place)
    except (Trouble, OSError, struct.error, KeyError, subprocess.SubprocessError) as error:
        return [copy_failed(condition, str(error)) for condition in wanted]
    finally:
        enter(HERE)
    turns = Turns()
    return [Copy(place, states, condition, turns) for condition in wanted]


def take_copies(copies):
    until = time.monotonic() + 15
    return [copy.take(until) if isinstance(copy, Copy) else copy for copy in copies]
