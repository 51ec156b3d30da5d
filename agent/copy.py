"""Disposable copies of the lab host's network namespaces. Each has its own condition and runs in a child process.

Parameters: {"conditions": [{"forwardPolicy", "bridgeNf", "own", "drop": [variants], "probes": [...]}], "world":
host/world.ts}, as checker/evidence/run.ts has them. A copy's namespaces have no name and no process but the child,
which dies with us: a kill at any moment leaves nothing, and the original is only read. A child builds its copy,
compares it with the original, makes the experiments in it, and writes what came of them to a pipe.
"""

from __future__ import annotations

import json
import os
import select
import signal
import struct
import subprocess
import time

from agent import legacy, relays
from agent.copy_links import (
    NOWHERE,
    CopyError,
    LinkMaker,
    Netns,
    find_peers,
    join_links,
    make_netns,
    raise_far_ends,
    raise_links,
    read_links,
    require_copyable,
    start_spanning_tree,
)
from agent.copy_nftables import change_forward_policy, describe_nftables, dump_nftables, make_nftables
from agent.copy_routing import ADDRESSES, KINDS, OTHERS, bring_entries
from agent.copy_world import build_world, start_world
from agent.namespaces import ROOT_NETNS, enter_netns
from agent.relays import Servers, Turns
from agent.settings import compare_settings, read_copied_settings, write_settings
from agent.system import die_with_parent
from agent.traffic import Place, ask_name_servers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Answer = dict[str, Any]
    """`Copy` in checker/evidence/evidence.ts."""

    Experiments = Callable[[Place], Answer]
    Originals = Mapping[str, "Original"]

MOST_SPACES, MOST_LINKS = 12, 200
COPY_SECONDS = 15
"""A copy that takes longer is ended."""

SETTLE_SECONDS, POLL_SECONDS = 3, 0.003
MOST_DIFFERENCES, MOST_SIGHTS, MOST_ANSWER = 50, 700, 1 << 20
BRIDGE_NF = "net/bridge/bridge-nf-call-iptables"
BEFORE_LINKS = ("net/ipv4", "net/ipv6/conf/all", "net/ipv6/conf/default")
"""Settings that must be there when links are made; those of links and bridges come after them."""


class Original:
    """All of one namespace of the lab host that a copy is made from. `links` first: they say what belongs to it."""

    def __init__(self, name: str, fd: int) -> None:
        self.space = Netns(name, fd)
        self.links = read_links(self.space)

    def read_rest(self) -> None:
        """Reads what is in it. Raises CopyError for what can't be copied."""
        require_copyable(self.space, self.links)
        self.entries = {kind.name: kind.dump(self.space) for kind in KINDS}
        enter_netns(self.space.fd)
        self.settings = read_copied_settings(self.link_names())
        self.legacy = legacy.save_tables()
        self.nftables = dump_nftables(self.space)
        self.listening = relays.list_relayed(self.space)

    def link_names(self) -> list[str]:
        """Names of the links in the order of their indexes."""
        return [link.name for link in self.links.values()]

    def apply_condition(self, condition: Mapping[str, Any]) -> None:
        """Changes what is to be copied: FORWARD's policy where iptables keeps one, bridge-nf-call-iptables."""
        drops, variants = condition["forwardPolicy"] == "drop", condition["drop"]
        policies = {
            variant: ("drop" if variant in variants else None) if drops else "accept" for variant in ("nft", "legacy")
        }
        self.nftables = change_forward_policy(self.nftables, policies["nft"])
        self.legacy = legacy.set_forward_policy(self.legacy, policies["legacy"])
        if BRIDGE_NF in self.settings:
            self.settings[BRIDGE_NF] = condition["bridgeNf"].encode()


def choose_distinct(place: Place) -> dict[str, int]:
    """The namespaces of a place by name, one name each: those of the plan first."""
    planned = ["root", "world", *(probe["in"] for probe in place.probes)]
    found: dict[str, int] = {}
    seen = set()
    for name in sorted(place.spaces, key=lambda name: (name not in planned, name)):
        inode = os.fstat(place.spaces[name]).st_ino
        if inode not in seen:
            seen.add(inode)
            found[name] = place.spaces[name]
    return found


def read_originals(place: Place, condition: Mapping[str, Any]) -> dict[str, Original]:
    """The lab host's own namespace, the world, those that have experiments, and those that their cables lead to."""
    spaces = choose_distinct(place)
    needed = {probe["in"] for probe in condition["probes"]} - {"world"} | {"root"}
    missing = sorted(needed - set(spaces))
    if missing or "world" not in spaces:
        raise CopyError(f"there is no network namespace of {(missing or ['the world'])[0]}")
    originals = {name: Original(name, spaces[name]) for name in sorted(needed | {"world"})}
    while True:
        for original in originals.values():
            find_peers(original.space, original.links.values(), spaces)
        links = [link for name, original in originals.items() if name != "world" for link in original.links.values()]
        reached = {link.peer[0] for link in links if link.peer} - set(originals)
        if not reached:
            break
        originals.update({name: Original(name, spaces[name]) for name in sorted(reached)})
        count = sum(len(original.links) for original in originals.values())
        if len(originals) > MOST_SPACES or count > MOST_LINKS:
            raise CopyError("more namespaces or links than are copied")
    for name, original in originals.items():
        if name != "world":
            original.read_rest()
    return originals


def build_copy(
    originals: Originals, numbers: Mapping[str, Any], servers: Servers
) -> tuple[dict[str, Netns], list[str]]:
    """The namespaces of one copy, built from what was read of the originals, and in words what could not be built."""
    copies = {name: make_netns(name) for name in originals}
    own = {name: original for name, original in originals.items() if name != "world"}
    for name, original in own.items():
        bring_settings(original, copies[name], BEFORE_LINKS)
    LinkMaker({name: original.links for name, original in originals.items()}, copies).make_all()
    if NOWHERE in copies:
        raise_far_ends((link for original in own.values() for link in original.links.values()), copies[NOWHERE])
    for name, original in own.items():
        bring_settings(original, copies[name], ("net/ipv6", "net/bridge"))
        join_links(original.links, copies[name])
        bring_entries(ADDRESSES, original.entries[ADDRESSES.name], copies[name])
    for name, original in own.items():
        raise_links(original.links, copies[name])
    build_world(copies["world"], numbers, find_far_end(originals))
    missing = []
    for name, original in own.items():
        copy = copies[name]
        for kind in OTHERS:
            bring_entries(kind, original.entries[kind.name], copy)
        make_nftables(original.nftables, copy)
        enter_netns(copy.fd)
        legacy.restore_tables(original.legacy)
        bring_settings(original, copy, ("net/netfilter", "net/bridge"))
        start_spanning_tree(original.links, copy)
        missing += relays.start_relays(servers, original.listening, copy, original.space)
    start_world(servers, copies["world"], numbers)
    return copies, missing


def bring_settings(original: Original, copy: Netns, folders: tuple[str, ...]) -> None:
    """Writes those of the original's settings that are below these folders."""
    enter_netns(copy.fd)
    write_settings(original.settings, lambda path: path.startswith(folders))


def find_far_end(originals: Originals) -> str:
    """The name of the uplink's end in the world."""
    for link in originals["root"].links.values():
        if link.peer and link.peer[0] == "world":
            other = originals["world"].links.get(link.peer[1])
            if other:
                return other.name
    return "world0"


def find_differences(originals: Originals, copies: Mapping[str, Netns], clock: Any) -> list[str]:
    """Where the copy is not like the original, in words. All of the copy is dumped for it."""
    found: list[str] = []
    until = clock.now() + SETTLE_SECONDS
    for name, original in originals.items():
        if name == "world":
            continue
        copy = copies[name]
        found += compare_links(original, copy, lambda: clock.now() > until)
        for kind in KINDS:
            wanted = [key for key, _ in original.entries[kind.name]]
            found += compare_lists(f"{name}: {kind.name}", wanted, [key for key, _ in kind.dump(copy)])
        enter_netns(copy.fd)
        found += compare_settings(name, original.settings, read_copied_settings(original.link_names()))
        if legacy.save_tables() != original.legacy:
            found.append(f"{name}: iptables-legacy has other rules")
        nftables = describe_nftables(dump_nftables(copy))
        found += compare_lists(name + ": nftables", describe_nftables(original.nftables), nftables)
    return found


def compare_links(original: Original, copy: Netns, is_over: Callable[[], bool]) -> list[str]:
    """The links alone. Ports and carriers are given a moment to come up."""
    name, links = copy.name, original.links
    names = {index: link.name for index, link in links.items()}
    wanted = {link.name: link.describe(names) for link in links.values()}
    masters = {link.master for link in links.values()}
    while True:
        now = read_links(copy)
        for link in now.values():
            same = links.get(link.index)
            link.peer = same.peer if same else None
            link.mac = link.mac if same is None or any(same.mac) else same.mac
        have = {link.name: link.describe(names) for link in now.values()}
        # A link with a carrier drops what it is given until the kernel's link watch has come to it
        # (net/core/link_watch.c).
        # A bridge that has lost its last port keeps the state that it had; a new one without ports never gets there.
        late = [
            link.name
            for index, link in links.items()
            if link.is_running
            and not (link.kind == "bridge" and index not in masters)
            and not (index in now and now[index].is_running)
        ]
        if (have == wanted and not late) or is_over():
            break
        time.sleep(POLL_SECONDS)
    differing = [key for key in sorted({*wanted, *have}) if wanted.get(key) != have.get(key)]
    return [
        *(f"{name}: link {key} does not run" for key in late if key in have),
        *(f"{name}: link {key}: {describe_difference(wanted.get(key), have.get(key))}" for key in differing),
    ]


def describe_difference(wanted: Mapping[str, Any] | None, have: Mapping[str, Any] | None) -> str:
    """The fields in which two descriptions of a link differ."""
    if not wanted or not have:
        return "is missing" if wanted else "is too much"
    return ", ".join(f"{key} is {have[key]}, not {wanted[key]}" for key in wanted if wanted[key] != have[key])


def compare_lists(what: str, wanted: Sequence[Any], have: Sequence[Any]) -> list[str]:
    """The entries that only one of two lists has, or the fact that their order differs."""
    found = [f"{what} lacks {key!r}" for key in wanted if key not in have]
    found += [f"{what} has {key!r} too much" for key in have if key not in wanted]
    if found or wanted == have or sorted(wanted, key=repr) == sorted(have, key=repr):
        return found
    return [f"{what}: in another order"]


def answer_from_copy(
    place: Place,
    originals: Originals,
    condition: Mapping[str, Any],
    numbers: Mapping[str, Any],
    turns: Turns,
    experiments: Experiments,
) -> Answer:
    """All of it, in a child of its own: built, compared, and the experiments made."""
    kinds = {**place.kinds, "lookup": ask_name_servers}
    copied = Place({}, condition["probes"], place.resolver_files, place.waits, kinds)
    copied.start_clock()
    servers = Servers(turns, copied.id_of_token)
    if not condition["own"]:
        originals["root"].apply_condition(condition)
    copies, missing = build_copy(originals, numbers, servers)
    servers.start()
    differences = missing + find_differences(originals, copies, copied.clock)
    if differences:
        return make_answer([line[:300] for line in differences[:MOST_DIFFERENCES]], None)
    copied.spaces = {name: copy.fd for name, copy in copies.items()}
    answer = {**experiments(copied), "differences": [], "error": None, "lost": round(copied.clock.count_lost() * 1000)}
    seen = [*servers.relayed.values(), *(sight for sight in answer["seen"] if sight["probe"])]
    answer["seen"] = seen[:MOST_SIGHTS]
    answer["over"] |= len(seen) > MOST_SIGHTS
    return answer


def make_answer(differences: list[str], error: str | None) -> Answer:
    """The answer of a copy in which no experiments were made."""
    error = error and error[:300]
    nothing: Answer = {"results": {}, "seen": [], "over": False, "drops": {}, "lost": 0}
    return {**nothing, "differences": differences, "error": error}


class Child:
    """A process that makes one copy. `work` gives its answer, there."""

    def __init__(self, condition: Mapping[str, Any], work: Callable[[], Answer]) -> None:
        self.condition = condition
        self.pipe, theirs = os.pipe()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            die_with_parent()
            if os.getppid() != parent:
                os._exit(1)
            try:
                os.close(self.pipe)
                answer = work()
            except BaseException as error:  # whatever goes wrong is why there is no copy
                answer = make_answer([], str(error) or type(error).__name__)
            with os.fdopen(theirs, "wb") as file:
                file.write(json.dumps(answer).encode())
            os._exit(0)
        os.close(theirs)

    def take_answer(self, until: float) -> Answer:
        """What came of it. At `until`, a moment of time.monotonic(), the child is ended."""
        got = b""
        while len(got) <= MOST_ANSWER:
            found = select.select([self.pipe], [], [], max(0, until - time.monotonic()))[0]
            data = os.read(self.pipe, 1 << 16) if found else b""
            got += data
            if not data:
                break
        os.close(self.pipe)
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except OSError:
            pass
        try:
            return {**name_condition(self.condition), **json.loads(got)}
        except ValueError:
            return {**name_condition(self.condition), **make_answer([], "it did not come to its end")}


def name_condition(condition: Mapping[str, Any]) -> Answer:
    """The condition that an answer belongs to."""
    return {"condition": {key: condition[key] for key in ("forwardPolicy", "bridgeNf")}}


def begin_copies(place: Place, wanted: Mapping[str, Any] | None, experiments: Experiments) -> list[Child | Answer]:
    """Starts a child for each condition. Where there can be no copy, the answer that says so stands in its place."""
    if not wanted or not wanted["conditions"]:
        return []
    conditions, numbers = wanted["conditions"], wanted["world"]
    try:
        originals = read_originals(place, conditions[0])
    except (CopyError, legacy.LegacyError, OSError, struct.error, KeyError, subprocess.SubprocessError) as error:
        return [{**name_condition(condition), **make_answer([], str(error))} for condition in conditions]
    finally:
        enter_netns(ROOT_NETNS)
    turns = Turns()

    def begin(condition: Mapping[str, Any]) -> Child:
        return Child(condition, lambda: answer_from_copy(place, originals, condition, numbers, turns, experiments))

    return [begin(condition) for condition in conditions]


def take_copies(copies: Sequence[Child | Answer]) -> list[Answer]:
    """The answers of all copies."""
    until = time.monotonic() + COPY_SECONDS
    return [copy.take_answer(until) if isinstance(copy, Child) else copy for copy in copies]
