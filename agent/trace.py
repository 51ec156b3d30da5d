"""Sends one real packet from a lab host's namespace. Answers where it was seen, and what every rule did with it.

Parameters: {"in": "root", "world" or a name in /run/netns, "from": source address or null, "to": address, "kind": icmp,
tcp or udp, "port": number, "label": 20 letters, "site": name, "seconds": at most, "quiet": without anything new,
"world": see find_world, "view": pid, "nonce"}. The answer's shape is `Seen` in checker/packets/trace-data.ts.

The packet is known by bytes that no translation changes: a TCP SYN by its sequence number, its answer by the number
after it; an echo by 16 bytes of its body; a DNS question by its first label. An ICMP error carries them again, behind
the header of the packet that it is about.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import time

from agent import netlink as nl
from agent import nftables as nft
from agent.legacy import find_moved_counters, save_counters
from agent.namespaces import ROOT_NETNS, enter_netns, run_in_each, shorten_names
from agent.packets import (
    ECHO,
    ECHO_REPLY,
    ETH_P_ARP,
    ETH_P_IP,
    ICMP,
    PACKET_OTHERHOST,
    PACKET_OUTGOING,
    REDIRECT,
    TCP,
    TH_ACK,
    TH_RST,
    TH_SYN,
    TIME_EXCEEDED,
    UDP,
    UNREACHABLE,
    describe_arp,
    describe_ends,
    make_dns_query,
    make_echo,
    open_packet_socket,
    read_stamp,
)
from agent.system import decode, die_with_parent, end_process, run_program, send_answer
from agent.view import Spaces, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Mark = tuple[int, int, bytes]
    """(protocol, offset behind the IP header, bytes)"""

TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ, TCP_SEND_QUEUE = 19, 20, 21, 2  # tcp(7), linux/tcp.h
MOST_RULES, MOST_SIGHTS, MOST_DEVICES = 600, 300, 300
LABEL_BYTES = 16
ICMP_WORDS = {
    ECHO_REPLY: "echo-reply",
    UNREACHABLE: "unreachable",
    REDIRECT: "redirect",
    ECHO: "echo",
    TIME_EXCEEDED: "time-exceeded",
}
# nf_tables.h: NFTA_TRACE_*, NFT_TRACETYPE_*; netfilter.h: NF_*; nf_tables.h: enum nft_verdicts.
NF_INET, NF_BRIDGE = 1, 7
NFT_TABLE_F_OWNER, LOWEST_PRIORITY = 2, -1 << 31
NFTA_TRACE_TABLE, NFTA_TRACE_CHAIN, NFTA_TRACE_RULE_HANDLE, NFTA_TRACE_TYPE = 1, 2, 3, 4
NFTA_TRACE_VERDICT, NFTA_TRACE_NETWORK_HEADER, NFTA_TRACE_TRANSPORT_HEADER = 5, 8, 9
NFTA_TRACE_IIF, NFTA_TRACE_OIF, NFTA_TRACE_NFPROTO, NFTA_TRACE_POLICY = 10, 12, 15, 16
NFTA_VERDICT_CHAIN = 2
TRACE_TYPES = {1: "policy", 2: "return", 3: "rule"}
VERDICTS = {
    0: "drop",
    1: "accept",
    2: "stolen",
    3: "queue",
    0xFFFFFFFF: "continue",
    0xFFFFFFFE: "break",
    0xFFFFFFFD: "jump",
    0xFFFFFFFC: "goto",
    0xFFFFFFFB: "return",
}


class Errand:
    """The one packet: how it is sent, and by which bytes it is known."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.kind, self.source, self.target = parameters["kind"], parameters["from"], parameters["to"]
        self.port, self.site, self.label = parameters["port"], parameters["site"], parameters["label"]
        self.sequence = int.from_bytes(os.urandom(4), "big") | 1
        sequence, label = nl.pack_u32be(self.sequence), self.label.encode()[:LABEL_BYTES]
        marks: dict[str, list[Mark]] = {  # RFC 9293, 792, 768 with 1035
            "tcp": [(TCP, 4, sequence), (TCP, 8, nl.pack_u32be(self.sequence + 1)), (ICMP, 32, sequence)],
            "icmp": [(ICMP, 8, label), (ICMP, 36, label)],
            "udp": [(UDP, 21, label), (ICMP, 49, label)],
        }
        self.marks = marks[self.kind]

    def is_ours(self, data: bytes) -> bool:
        """Whether it is our packet, or an answer to it. `data` begins with an IPv4 header."""
        if len(data) < 28 or data[0] >> 4 != 4:
            return False
        start = (data[0] & 15) * 4
        return any(
            data[9] == protocol and data[start + at : start + at + len(mark)] == mark
            for protocol, at, mark in self.marks
        )

    def describe(self, network: bytes, transport: bytes) -> dict[str, Any] | None:
        """What a packet is and its addresses, from its headers; None for what only acknowledges or closes."""
        if len(network) < 20 or len(transport) < 8:
            return None
        protocol, ports = network[9], (0, 0)
        what: str | None = None
        if protocol == ICMP:
            what = ICMP_WORDS.get(transport[0])
        elif protocol in (TCP, UDP):
            ports = struct.unpack_from("!HH", transport)
            if protocol == UDP:
                what = "answer" if ports[0] == self.port else "query"
            elif len(transport) > 13:
                flags = transport[13]
                what = "rst" if flags & TH_RST else {TH_SYN: "syn", TH_SYN | TH_ACK: "syn-ack"}.get(flags & 18)
        if what is None:
            return None
        return describe_ends(what, network[12:16], network[16:20], ports)


class Sender:
    """A socket of the network namespace that this thread is in when it is made."""

    def __init__(self, errand: Errand) -> None:
        self.errand = errand
        kind, protocol = {
            "icmp": (socket.SOCK_RAW, ICMP),
            "tcp": (socket.SOCK_STREAM, 0),
            "udp": (socket.SOCK_DGRAM, 0),
        }[errand.kind]
        self.sock = socket.socket(socket.AF_INET, kind, protocol)
        self.sock.setblocking(False)
        if errand.source:
            self.sock.bind((errand.source, 0))

    def send(self) -> None:
        """Sends the packet. Raises OSError."""
        errand = self.errand
        if errand.kind == "tcp":
            # tcp_v4_connect in the kernel's net/ipv4/tcp_ipv4.c draws a sequence number only where none was set.
            for option, value in (
                (TCP_REPAIR, 1),
                (TCP_REPAIR_QUEUE, TCP_SEND_QUEUE),
                (TCP_QUEUE_SEQ, errand.sequence),
                (TCP_REPAIR, 0),
            ):
                self.sock.setsockopt(socket.IPPROTO_TCP, option, struct.pack("=I", value))
            code = self.sock.connect_ex((errand.target, errand.port))
            if code not in (0, errno.EINPROGRESS):
                raise OSError(code, os.strerror(code))
        elif errand.kind == "udp":
            self.sock.connect((errand.target, errand.port))
            self.sock.send(make_dns_query(os.urandom(2), f"{errand.label}.{errand.site}"))
        else:
            self.sock.connect((errand.target, 0))
            self.sock.send(make_echo(os.urandom(2), 1, errand.label.encode()))

    def take_result(self) -> dict[str, Any] | None:
        """What came of it: None, nothing yet; {"ok": True} an answer; {"ok": False, "error"}."""
        try:
            if self.errand.kind == "tcp":
                if not select.select([], [self.sock], [], 0)[1]:
                    return None
                code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                return {"ok": not code, "error": os.strerror(code) if code else None}
            while True:
                data = self.sock.recv(2048)
                if self.errand.kind == "udp":
                    return {"ok": True, "error": None}
                if data[(data[0] & 15) * 4] == ECHO_REPLY and self.errand.is_ours(data):
                    return {"ok": True, "error": None}
        except BlockingIOError:
            return None
        except OSError as error:
            return {"ok": False, "error": os.strerror(error.errno or 0)}


class RuleTracer:
    """Has nftables trace our packet in the namespace that this thread is in, until it is closed.

    That is a table of our own, which the kernel removes with the socket that made it. Nothing of the learner's is
    written to. nf_tables_api.c: NFT_TABLE_F_OWNER, nft_rcv_nl_event; nf_tables_trace.c.
    """

    table = b"handwired-trace-%d\0" % os.getpid()

    def __init__(self, errand: Errand, with_bridges: bool) -> None:
        self.errand = errand
        self.link = nl.Netlink(nl.NETLINK_NETFILTER)
        self._make_table(NF_INET)
        if with_bridges:
            try:
                self._make_table(NF_BRIDGE)
            except OSError:
                pass  # a kernel without them has no rules for bridges either
        self.link.sock.setsockopt(nl.SOL_NETLINK, nl.NETLINK_ADD_MEMBERSHIP, nl.NFNLGRP_NFTRACE)
        self.link.sock.setblocking(False)
        self.found: list[dict[str, Any]] = []
        self.run, self.over = -1, False

    def _make_table(self, family: int) -> None:
        flags = nl.pack_u32be(NFT_TABLE_F_OWNER)
        items: list[nft.Item] = [
            (nft.TABLE, family, [(nft.NFTA_TABLE_NAME, self.table), (nft.NFTA_TABLE_FLAGS, flags)])
        ]
        for chain, hook in ((b"in\0", nft.NF_INET_PRE_ROUTING), (b"out\0", nft.NF_INET_LOCAL_OUT)):
            rules = [make_tracing_expressions(mark) for mark in self.errand.marks]
            items.append((nft.CHAIN, family, nft.make_chain(self.table, chain, hook, LOWEST_PRIORITY)))
            items += [(nft.RULE, family, nft.make_rule(self.table, chain, *rule)) for rule in rules]
        nft.send_items(self.link, items)

    def take(self) -> None:
        """Reads what the kernel has traced."""
        try:
            while True:
                for kind, _, _, body in nl.read_messages(self.link.sock.recv(1 << 17)):
                    if kind == nl.NFT_MSG_TRACE and len(self.found) < MOST_RULES:
                        self._note(nl.first_attributes(body[4:]))
        except BlockingIOError:
            pass
        except OSError:
            self.over = True  # ENOBUFS

    def _note(self, has: Mapping[int, bytes]) -> None:
        """One message. A base chain's first one has the packet's headers: they tell its runs apart."""
        network = has.get(NFTA_TRACE_NETWORK_HEADER)
        if network is not None:
            self.run += 1
        table = has.get(NFTA_TRACE_TABLE, b"")
        if table == self.table:
            return
        verdict = nl.first_attributes(has.get(NFTA_TRACE_VERDICT, b""))
        code = verdict.get(nft.NFTA_VERDICT_CODE) if NFTA_TRACE_VERDICT in has else has.get(NFTA_TRACE_POLICY)
        handle = has.get(NFTA_TRACE_RULE_HANDLE)
        self.found.append(
            {
                "run": self.run,
                "table": read_name(table),
                "chain": read_name(has.get(NFTA_TRACE_CHAIN)),
                "handle": None if handle is None else int.from_bytes(handle, "big"),
                "jump": read_name(verdict.get(NFTA_VERDICT_CHAIN)),
                "type": TRACE_TYPES.get(nl.read_u32be(has.get(NFTA_TRACE_TYPE)), "other"),
                "bridge": nl.read_u32be(has.get(NFTA_TRACE_NFPROTO)) == NF_BRIDGE,
                "iif": read_index(has.get(NFTA_TRACE_IIF)),
                "oif": read_index(has.get(NFTA_TRACE_OIF)),
                "verdict": None if code is None else VERDICTS.get(nl.read_u32be(code)),
                "packet": self.errand.describe(network or b"", has.get(NFTA_TRACE_TRANSPORT_HEADER, b"")),
            }
        )


def make_tracing_expressions(mark: Mark) -> list[tuple[int, Any]]:
    """The rule `meta l4proto PROTOCOL @th,AT,BITS MARK meta nftrace set 1`."""
    protocol, at, data = mark
    return [
        nft.make_expression("meta", (nft.NFTA_META_KEY, nft.NFT_META_L4PROTO), (nft.NFTA_META_DREG, nft.NFT_REG_1)),
        nft.make_comparison(bytes([protocol])),
        nft.make_expression(
            "payload",
            (nft.NFTA_PAYLOAD_DREG, nft.NFT_REG_1),
            (nft.NFTA_PAYLOAD_BASE, nft.NFT_PAYLOAD_TRANSPORT_HEADER),
            (nft.NFTA_PAYLOAD_OFFSET, at),
            (nft.NFTA_PAYLOAD_LEN, len(data)),
        ),
        nft.make_comparison(data),
        nft.make_expression(
            "immediate",
            (nft.NFTA_IMMEDIATE_DREG, nft.NFT_REG_1),
            (nft.NFTA_IMMEDIATE_DATA, [(nft.NFTA_DATA_VALUE, b"\1")]),
        ),
        nft.make_expression("meta", (nft.NFTA_META_KEY, nft.NFT_META_NFTRACE), (nft.NFTA_META_SREG, nft.NFT_REG_1)),
    ]


def read_name(data: bytes | None) -> str | None:
    """The name of a table or chain; None where there is none."""
    return decode(data[:300].rstrip(b"\0")) if data else None


def read_index(data: bytes | None) -> int | None:
    """The index of a link; None where there is none."""
    return nl.read_u32be(data) if data and len(data) == 4 else None


class LinkEyes:
    """Sees what passes at every link of the namespace that this thread is in, in the kernel's order.

    Also ARP, which says why a packet did not leave.
    """

    def __init__(self, errand: Errand) -> None:
        self.errand = errand
        self.sock = open_packet_socket(socket.SOCK_DGRAM)
        self.devices = dict(socket.if_nameindex())
        self.found: list[dict[str, Any]] = []
        self.over = False

    def take(self) -> None:
        """Reads what has passed."""
        for _ in range(2000):
            try:
                data, ancillary, _, (device, protocol, kind, _, _) = self.sock.recvmsg(2048, 64)
            except BlockingIOError:
                return
            except OSError:
                self.over = True
                return
            sight = self._describe(protocol, data)
            if sight is None:
                continue
            if len(self.found) >= MOST_SIGHTS:
                self.over = True
                return
            seconds, nanoseconds = read_stamp(ancillary)
            self.found.append(
                {
                    "at": seconds + nanoseconds / 1e9,
                    "device": device,
                    "way": "out" if kind == PACKET_OUTGOING else "in",
                    "other": kind == PACKET_OTHERHOST,  # sent to another MAC address
                    **sight,
                }
            )

    def _describe(self, protocol: int, data: bytes) -> dict[str, Any] | None:
        if protocol == ETH_P_ARP:
            arp = describe_arp(data)
            return arp and {**arp, "ttl": 0}
        if protocol != ETH_P_IP or not self.errand.is_ours(data):
            return None
        found = self.errand.describe(data[:20], data[(data[0] & 15) * 4 :])
        return found and {**found, "ttl": data[8]}


class Watcher:
    """All watchers of one namespace. In the world only links are watched: its rules are not the learner's."""

    def __init__(self, name: str, errand: Errand) -> None:
        self.tracer: RuleTracer | None = None
        self.untraced: str | None = None
        self.counters: str | None = None
        self.eyes = LinkEyes(errand)
        if name != "world":
            try:
                self.tracer = RuleTracer(errand, name == "root")
            except OSError as error:
                self.untraced = str(error)[:200]
            self.counters = save_counters()

    def list_socks(self) -> list[socket.socket]:
        """What to wait for."""
        return [self.eyes.sock] + ([self.tracer.link.sock] if self.tracer else [])

    def take(self) -> None:
        """Reads all that came."""
        self.eyes.take()
        if self.tracer:
            self.tracer.take()

    def count(self) -> int:
        """How much has come so far."""
        return len(self.eyes.found) + (len(self.tracer.found) if self.tracer else 0)

    def describe(self) -> dict[str, Any]:
        """All that was seen: `Space` in checker/packets/trace-data.ts. Call it in the watcher's namespace."""
        moved = None if self.counters is None else find_moved_counters(self.counters, save_counters())
        devices = list(self.eyes.devices.items())[:MOST_DEVICES]
        return {
            "devices": [{"index": index, "name": name} for index, name in devices],
            "sights": self.eyes.found,
            "rules": self.tracer.found if self.tracer else [],
            "untraced": self.untraced,
            "over": self.eyes.over or bool(self.tracer and self.tracer.over),
            "conntrack": run_program(["/usr/sbin/conntrack", "-L", "-o", "extended"]),
            "legacy": moved,
        }


def follow_packet(sender: Sender, watchers: Sequence[Watcher], seconds: float, quiet: float) -> dict[str, Any] | None:
    """Sends the packet, and watches until it was answered and all is quiet, or nothing new comes for `quiet` seconds.

    `quiet` is at least 20 times what a trivial program takes.
    """
    begin = time.monotonic()
    run_program(["/usr/bin/true"])
    quiet = max(quiet, 20 * (time.monotonic() - begin))
    socks = [sock for watcher in watchers for sock in watcher.list_socks()]
    result, count, last, end = None, -1, time.monotonic(), time.monotonic() + seconds
    try:
        sender.send()
    except OSError as error:
        result = {"ok": False, "error": os.strerror(error.errno or 0)}  # what was seen up to there is told all the same
    while time.monotonic() < end:
        is_waited_for = sender.errand.kind != "tcp" and not result
        select.select([*socks, sender.sock] if is_waited_for else socks, [], [], 0.01)
        for watcher in watchers:
            watcher.take()
        result = result or sender.take_result()
        now = sum(watcher.count() for watcher in watchers)
        if now != count:
            count, last = now, time.monotonic()
        if time.monotonic() - last > (0.02 if result else quiet):
            break
    return result


def trace_packet(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The packet's way: `Seen` in checker/packets/trace-data.ts."""
    spaces = shorten_names(Spaces(View(parameters["view"]), parameters["world"]).fds)
    if parameters["in"] not in spaces:
        return {"missing": True, "result": None, "spaces": {}}
    errand = Errand(parameters)
    watchers = run_in_each(spaces, lambda name: Watcher(name, errand))
    result: dict[str, Any] | None
    try:
        enter_netns(spaces[parameters["in"]])
        sender = Sender(errand)
        enter_netns(ROOT_NETNS)
        result = follow_packet(sender, list(watchers.values()), parameters["seconds"], parameters["quiet"])
    except OSError as error:
        result = {"ok": False, "error": os.strerror(error.errno) if error.errno else str(error)[:200]}
    finally:
        enter_netns(ROOT_NETNS)
    watched = {name: spaces[name] for name in watchers}
    return {
        "missing": False,
        "result": result,
        "spaces": run_in_each(watched, lambda name: watchers[name].describe()),
    }


def main(parameters: Mapping[str, Any]) -> None:
    """Answers with the way of one packet."""
    die_with_parent()
    send_answer(trace_packet(parameters), parameters["nonce"])
    end_process()
