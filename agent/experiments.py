"""Sends real traffic from a lab host's network namespaces, all at once, and answers what happened.

Parameters: {"probes": [...], "control": id of the probe that the world asks itself, "capture": [names of namespaces],
"seconds": an answer is waited for, "slow": that many times what a trivial program takes, "copies": see agent/copy.py,
"authority": PEM or null, "world": see find_world, "view": pid, "nonce"}.

Packet sockets in each namespace of "capture" say where the probes' packets were seen: that is evidence which does not
depend on who answers. The answer's shape is `Evidence` in checker/evidence/evidence.ts.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import threading
import time

from agent import netlink as nl
from agent.changes import ChangeLog
from agent.copy import begin_copies, take_copies
from agent.fingerprint import take_fingerprint
from agent.namespaces import ROOT_NETNS, enter_netns, shorten_names
from agent.packets import (
    DNS_PORT,
    ECHO,
    ECHO_REPLY,
    ETH_P_ARP,
    ETH_P_IP,
    ICMP,
    PACKET_OUTGOING,
    TCP,
    TH_ACK,
    TH_RST,
    TH_SYN,
    UDP,
    UNREACHABLE,
    describe_arp,
    describe_ends,
    find_client_random,
    open_packet_socket,
    read_drops,
)
from agent.system import die_with_parent, end_process, send_answer
from agent.traffic import KINDS, TOKEN, Place, Waits
from agent.view import Spaces, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from agent.traffic import Perform, Probe, Result

MOST_SIGHTS = 3000
SIGHT_KEYS = ("probe", "in", "device", "way", "what", "source", "sourcePort", "target", "targetPort")
ICMP_WORDS = {ECHO_REPLY: "echo-reply", UNREACHABLE: "unreachable", ECHO: "echo"}
RETRANSMIT_SECONDS = 1.2
"""Longer than the kernel waits before it asks for a neighbour again: arp(7), retrans_time_ms."""

SETTLE_SECONDS = 0.03
"""For packets that are still on their way through the namespaces when the last answer has come."""


class PacketLog(threading.Thread):
    """The packets of the captured namespaces that are a probe's, and ARP, counted by what they look like."""

    drain_seconds = 8.0
    """How long `finish` waits until all is read that has come. On an emulated machine that can take seconds."""

    def __init__(self, place: Place, names: Iterable[str]) -> None:
        super().__init__(daemon=True)
        self.place = place
        self.socks: dict[socket.socket, str] = {}
        self.seen: dict[tuple[Any, ...], int] = {}
        self.over = False
        self.stop_read, self.stop_write = os.pipe()
        for name in names:
            try:
                place.enter(name)
                self.socks[open_packet_socket(socket.SOCK_DGRAM)] = name
            except OSError:
                pass
            finally:
                enter_netns(ROOT_NETNS)

    def run(self) -> None:
        """Reads packets until `finish`, and what is there then."""
        while True:
            watched: list[Any] = [*self.socks, self.stop_read]
            ready = select.select(watched, [], [], 0.5)[0]
            for sock in ready:
                if sock != self.stop_read:
                    self._drain(sock)
            if ready == [self.stop_read]:
                return

    def finish(self) -> list[dict[str, Any]]:
        """What was seen, with "count" of the same. `over` tells afterwards whether something may be missing."""
        os.write(self.stop_write, b".")
        self.join(self.drain_seconds)
        self.over |= self.is_alive()
        # It may still be reading: what it has by now is copied, in one step of the interpreter.
        return [dict(zip(SIGHT_KEYS, key, strict=True), count=count) for key, count in dict(self.seen).items()]

    def count_drops(self) -> dict[str, int]:
        """Packets that the kernel dropped before we read them, by namespace."""
        return {name: read_drops(sock) for sock, name in self.socks.items()}

    def _drain(self, sock: socket.socket) -> None:
        for _ in range(500):
            try:
                data, (device, protocol, kind, _, _) = sock.recvfrom(2048)
            except OSError:
                return
            sight = None
            if protocol == ETH_P_ARP:
                arp = describe_arp(data)
                sight = arp and {"probe": None, **arp}
            elif protocol == ETH_P_IP:
                sight = describe_packet(self.place, data)
            if sight is None:
                continue
            way = "out" if kind == PACKET_OUTGOING else "in"
            key = (sight.pop("probe"), self.socks[sock], device, way, *sight.values())
            if key in self.seen:
                self.seen[key] += 1
            elif len(self.seen) < MOST_SIGHTS:
                self.seen[key] = 1
            else:
                self.over = True


def describe_packet(place: Place, data: bytes) -> dict[str, Any] | None:
    """The probe of an IPv4 packet, by its token or port, what it is, and its addresses; None for anybody else's."""
    if len(data) < 28 or data[0] >> 4 != 4:
        return None
    start, protocol = (data[0] & 15) * 4, data[9]
    body = data[start:]
    token = TOKEN.search(body)
    probe = place.id_of_token.get(token.group().lower()) if token else None
    is_request = token is not None
    ports = (0, 0)
    if protocol in (TCP, UDP) and len(body) >= 8:
        ports = struct.unpack("!HH", body[:4])
        if protocol == TCP and probe is None:
            random = find_client_random(body[(body[12] >> 4) * 4 :]) if len(body) > 12 else None
            known = place.id_of_random.get(random) if random else None
            probe = known or place.id_of_port.get(ports[0]) or place.id_of_port.get(ports[1])
            is_request = is_request or known is not None
    if probe is None:
        return None
    what: str | None = None
    if protocol == TCP and len(body) >= 20:
        has_payload = len(data) > start + (body[12] >> 4) * 4
        what = "request" if is_request else describe_flags(body[13], has_payload)
    elif protocol == UDP:
        what = "query" if ports[1] == DNS_PORT else "answer" if ports[0] == DNS_PORT else "datagram"
    elif protocol == ICMP:
        what = ICMP_WORDS.get(body[0])
        ports = (0, body[1] if what == "unreachable" else 0)
    if what is None:
        return None
    return {"probe": probe, **describe_ends(what, data[12:16], data[16:20], ports)}


def describe_flags(flags: int, has_payload: bool) -> str | None:
    """What a TCP segment is; None for one that only acknowledges or closes."""
    if flags & TH_RST:
        return "rst"
    if flags & TH_SYN:
        return "syn-ack" if flags & TH_ACK else "syn"
    return "reply" if has_payload else None


def perform(place: Place, probe: Probe, results: dict[str, Result], control: str) -> None:
    """Makes one probe in its own thread. "stage" in the result says how far it came."""
    result: Result = {"ok": False, "stage": "start", "error": None}
    before = time.monotonic()
    try:
        place.enter(probe["in"])
        end = place.clock.now() + place.waits.seconds
        result.update(place.kinds[probe["kind"]](place, probe, result, end))
        result["ok"] = True
        result["stage"] = "done"
    except Exception as error:  # whatever goes wrong is the probe's result
        result["error"] = (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:200]
        result["errno"] = errno.errorcode.get(getattr(error, "errno", None) or 0)
    result["ms"] = round((time.monotonic() - before) * 1000)
    if probe["id"] == control:
        place.clock.grant(time.monotonic() - before)
    results[probe["id"]] = result


def run_experiments(place: Place, capture: Iterable[str], control: str) -> dict[str, Any]:
    """All of a place's probes at once: `Run` in checker/evidence/evidence.ts."""
    packets = PacketLog(place, capture)
    packets.start()
    results: dict[str, Result] = {}
    threads = [
        threading.Thread(target=perform, args=(place, probe, results, control), daemon=True) for probe in place.probes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    time.sleep(SETTLE_SECONDS)
    return {"results": results, "seen": packets.finish(), "over": packets.over, "drops": packets.count_drops()}


def dump_in_all(spaces: Mapping[str, int], protocol: int, kind: int, body: bytes) -> Iterator[bytes]:
    """What the kernel has of such entries in all the namespaces; nothing where it can't tell."""
    for fd in spaces.values():
        try:
            enter_netns(fd)
            link = nl.Netlink(protocol)
            yield from link.dump(kind, body)
            link.close()
        except OSError:
            pass
        finally:
            enter_netns(ROOT_NETNS)


def is_neighbour_asked(spaces: Mapping[str, int]) -> bool:
    """Whether a neighbour is being asked for by ARP now: the kernel asks again a second later, not sooner."""
    body = struct.pack("=B11x", socket.AF_INET)
    found = dump_in_all(spaces, nl.NETLINK_ROUTE, nl.RTM_GETNEIGH, body)
    return any(struct.unpack_from("=H", entry, 8)[0] & nl.NUD_INCOMPLETE for entry in found)


def list_tracked_ports(spaces: Mapping[str, int]) -> set[int]:
    """Ports with a conntrack entry. A new packet from such a port gets the old entry's translation, or none."""
    tuple_orig, tuple_reply, tuple_proto, src_port, dst_port = 1, 2, 2, 2, 3  # CTA_* of nfnetlink_conntrack.h
    ports = set()
    body = struct.pack("=B3x", socket.AF_INET)
    for entry in dump_in_all(spaces, nl.NETLINK_NETFILTER, nl.IPCTNL_MSG_CT_GET, body):
        connection = nl.first_attributes(entry[4:])
        for direction in (tuple_orig, tuple_reply):
            addresses = nl.first_attributes(connection.get(direction, b""))
            numbers = nl.first_attributes(addresses.get(tuple_proto, b""))
            for end in (src_port, dst_port):
                if len(numbers.get(end, b"")) == 2:
                    ports.add(struct.unpack("!H", numbers[end])[0])
    return ports


def choose_kinds(parameters: Mapping[str, Any]) -> dict[str, Perform]:
    """How each kind of probe is performed."""
    if all(probe["kind"] != "https" for probe in parameters["probes"]):
        return KINDS
    from agent.tls import make_request

    return {**KINDS, "https": make_request(parameters["authority"])}


def make_place(
    view: View, spaces: dict[str, int], parameters: Mapping[str, Any], kinds: Mapping[str, Perform]
) -> Place:
    """The lab host itself as a place. `spaces`: by the names that probes have."""
    probes = parameters["probes"]
    asking = {probe["in"] for probe in probes if probe["kind"] in ("lookup", "https")}
    resolver_files = {name: view.ask("resolver files", name) for name in asking}
    waits = Waits(parameters["seconds"], parameters["slow"])
    place = Place(spaces, probes, resolver_files, waits, kinds)
    place.shunned_ports = list_tracked_ports(spaces)
    if is_neighbour_asked(spaces):
        waits.seconds = max(waits.seconds, RETRANSMIT_SECONDS)
    return place


def gather_evidence(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The experiments on the lab host as it is, and on copies of it."""
    capture, control = parameters["capture"], parameters["control"]
    kinds = choose_kinds(parameters)
    view = View(parameters["view"])
    spaces = Spaces(view, parameters["world"])
    before = take_fingerprint(view, spaces.fds)
    place = make_place(view, shorten_names(spaces.fds), parameters, kinds)
    # Copies are children: they are forked before there is a second thread.
    copies = begin_copies(place, parameters["copies"], lambda copy: run_experiments(copy, capture, control))
    place.start_clock()
    changes = ChangeLog(place, capture)
    changes.start()
    found = run_experiments(place, capture, control)
    return {
        **found,
        "changes": changes.finish(),
        "copies": take_copies(copies),
        "lost": round(place.clock.count_lost() * 1000),
        "steady": {"before": before, "after": take_fingerprint(view, spaces.fds)},
    }


def main(parameters: Mapping[str, Any]) -> None:
    """Answers with the evidence of one check."""
    die_with_parent()
    send_answer(gather_evidence(parameters), parameters["nonce"])
    end_process()
