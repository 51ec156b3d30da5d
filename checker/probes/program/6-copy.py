"""Disposable copies of the lab host's namespaces, each under another condition, each a child of ours with one pipe.

P["copies"]: {"conditions": [{"forwardPolicy", "bridgeNf", "own", "drop": [variants], "probes": [...]}], "world":
host/world.ts}. The namespaces have no name and no process but the child, which dies
with us (PR_SET_PDEATHSIG): a kill at any moment leaves nothing, and the original is only read.
"""
SPACES, LINKS = 12, 200


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
        if len(states) > SPACES or sum(len(state.links) for state in states.values()) > LINKS:
            raise Trouble("more namespaces or links than are copied")
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
