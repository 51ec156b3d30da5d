"""Changes on the lab host during the experiments, reported by the kernel: rtnetlink(7), nfnetlink, sock_diag.

A state that is equal before and after the experiments may have been different during them.
"""

from __future__ import annotations

import os
import re
import select
import socket
import struct
import threading

from agent import netlink as nl
from agent.namespaces import ROOT_NETNS, enter_netns
from agent.sockets import list_open_ports
from agent.system import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from agent.traffic import Place

ROUTE_GROUPS = nl.GROUP_LINK | nl.GROUP_IPV4_ADDRESS | nl.GROUP_IPV4_ROUTE | nl.GROUP_IPV4_RULE | nl.GROUP_IPV4_NETCONF
PORTS_EVERY = 0.1
"""Seconds between two checks for new listeners, which have no event."""

PRIVILEGED_PORTS = 1024
"""UDP ports from here on are not reported: a resolver draws one for each query."""

MOST_CHANGES, MOST_WORDS = 50, 200
EVERY_LINK = 0xFFFFFFFF
"""ifi_change of a link that is new."""

NETCONF_SETTINGS = (
    (nl.NETCONFA_FORWARDING, "forwarding"),
    (nl.NETCONFA_RP_FILTER, "rp_filter"),
    (nl.NETCONFA_PROXY_NEIGH, "proxy_arp"),
)


class ChangeLog(threading.Thread):
    """Every change in some namespaces of a place, as words; and TCP and low UDP ports that begin to be listened on."""

    def __init__(self, place: Place, names: Iterable[str]) -> None:
        super().__init__(daemon=True)
        self.place = place
        self.socks: dict[socket.socket, tuple[str, int]] = {}
        self.devices: dict[str, dict[int, str]] = {}
        self.ports: dict[str, set[tuple[str, str, int]]] = {}
        self.found: dict[tuple[str, str], None] = {}
        self.stop_read, self.stop_write = os.pipe()
        for name in names:
            self._open(name)

    def _open(self, name: str) -> None:
        try:
            self.place.enter(name)
            for protocol, groups in ((nl.NETLINK_ROUTE, ROUTE_GROUPS), (nl.NETLINK_NETFILTER, nl.GROUP_NFTABLES)):
                self.socks[nl.open_events(protocol, groups)] = (name, protocol)
            self.devices[name] = dict(socket.if_nameindex())
            self.ports[name] = list_open_ports(PRIVILEGED_PORTS)
        except OSError:
            pass
        finally:
            enter_netns(ROOT_NETNS)

    def run(self) -> None:
        """Reads events until `finish`."""
        while True:
            watched: list[Any] = [*self.socks, self.stop_read]
            ready = select.select(watched, [], [], PORTS_EVERY)[0]
            for sock in ready:
                if sock != self.stop_read:
                    self._drain(sock, *self.socks[sock])
            if not ready or self.stop_read in ready:
                self._compare_ports()
            if self.stop_read in ready:
                return

    def finish(self) -> list[dict[str, str]]:
        """[{"in": namespace, "what": words}] of all changes."""
        os.write(self.stop_write, b".")
        self.join(8)  # as long as PacketLog is waited for
        return [{"in": name, "what": what} for name, what in self.found if not self._follows(name, what)]

    def _drain(self, sock: socket.socket, name: str, protocol: int) -> None:
        try:
            data = sock.recv(1 << 17)
        except OSError:
            self._note(name, "more changed than can be told")  # ENOBUFS
            return
        for kind, _, _, body in nl.read_messages(data):
            if protocol == nl.NETLINK_ROUTE:
                what = describe_route_event(kind, body, self.devices[name])
            else:
                what = describe_nftables_event(kind, body)
            if what:
                self._note(name, what)

    def _note(self, name: str, what: str) -> None:
        if len(self.found) < MOST_CHANGES:
            self.found.setdefault((name, what[:MOST_WORDS]))

    def _compare_ports(self) -> None:
        for name, before in self.ports.items():
            try:
                self.place.enter(name)
                for protocol, address, port in list_open_ports(PRIVILEGED_PORTS) - before:
                    self._note(name, f"{protocol} {address}:{port} began to be listened on")
            except OSError:
                pass
            finally:
                enter_netns(ROOT_NETNS)

    def _follows(self, name: str, what: str) -> bool:
        """Whether a change comes with another: writing ip_forward writes every link's setting too."""
        every = re.sub(r"^forwarding of \S+ ", "forwarding of all ", what)
        return every != what and (name, every) in self.found


def describe_route_event(kind: int, body: bytes, devices: dict[int, str]) -> str | None:
    """One event of rtnetlink as words; None for what moves by itself: carriers, cloned routes.

    `devices`: names of links by index, to which the event's own is added.
    """
    done = "went" if kind % 2 else "came"
    if kind in (nl.RTM_NEWLINK, nl.RTM_DELLINK):
        return describe_link_event(kind, body, devices, done)
    if kind in (nl.RTM_NEWADDR, nl.RTM_DELADDR):
        return f"address {show_ipv4(nl.first_attributes(body[8:]).get(nl.IFA_LOCAL))} {done}"
    if kind in (nl.RTM_NEWROUTE, nl.RTM_DELROUTE):
        if struct.unpack_from("=I", body, 8)[0] & nl.RTM_F_CLONED:
            return None
        target = nl.first_attributes(body[12:]).get(nl.RTA_DST, b"\0" * 4)
        return f"route {show_ipv4(target)}/{body[1]} {done}"
    if kind in (nl.RTM_NEWRULE, nl.RTM_DELRULE):
        return f"a routing rule {done}"
    return describe_setting_event(body, devices) if kind == nl.RTM_NEWNETCONF else None


def describe_link_event(kind: int, body: bytes, devices: dict[int, str], done: str) -> str | None:
    """A link that came, went, left its bridge, or was switched on or off."""
    index, flags, change = struct.unpack_from("=iII", body, 4)
    device = decode(nl.first_attributes(body[16:]).get(nl.IFLA_IFNAME, b"?").rstrip(b"\0"))
    devices[index] = device
    if body[0] == nl.AF_BRIDGE:
        return f"link {device} left its bridge" if kind == nl.RTM_DELLINK else None
    if kind == nl.RTM_DELLINK or change == EVERY_LINK:
        return f"link {device} {done}"
    return f"link {device} was switched {'on' if flags & nl.IFF_UP else 'off'}" if change & nl.IFF_UP else None


def describe_setting_event(body: bytes, devices: dict[int, str]) -> str | None:
    """Which of forwarding, rp_filter, proxy_arp was written: a message has one of them."""
    has = nl.first_attributes(body[4:])
    index = struct.unpack("=i", has.get(nl.NETCONFA_IFINDEX, b"\0" * 4))[0]
    device = {-1: "all", -2: "default"}.get(index) or devices.get(index, "?")
    for kind, word in NETCONF_SETTINGS:
        if kind in has:
            return f"{word} of {device} became {struct.unpack('=i', has[kind])[0]}"
    return None


def describe_nftables_event(kind: int, body: bytes) -> str | None:
    """The event that closes each transaction and names the program that made it; None for the others."""
    if kind != nl.NFT_MSG_NEWGEN:
        return None
    program = decode(nl.first_attributes(body[4:]).get(nl.NFTA_GEN_PROC_NAME, b"?").rstrip(b"\0"))
    return f"nftables rules were changed by {program}"


def show_ipv4(data: bytes | None) -> str:
    """An IPv4 address as text; `?` for any other."""
    return socket.inet_ntoa(data) if data and len(data) == 4 else "?"
