"""Links of a network namespace, as they are and made again: RTM_GETLINK, RTM_NEWLINK."""

from __future__ import annotations

import os
import struct

from agent import netlink as nl
from agent.namespaces import enter_netns, read_nsid
from agent.system import CLONE_NEWNET, unshare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

MAX_DUMP_BYTES = 8 << 20
SETTABLE_FLAGS = nl.IFF_UP | nl.IFF_NOARP | nl.IFF_PROMISC | nl.IFF_ALLMULTI | nl.IFF_MULTICAST
# Of IFLA_BR_* and IFLA_BRPORT_*: what is set, not what the bridge reports of itself.
BRIDGE_SETTINGS = {*range(1, 10), 20, *range(22, 40), *range(41, 47), 49}
PORT_SETTINGS = {2, 3, *range(4, 13), 25, *range(27, 34), 39, 40, 42, 43}
STACKED_KINDS = ("vlan", "macvlan", "ipvlan")
"""Kinds that stand on another link, and are made from the data that the kernel tells of them."""

HARMLESS_QDISCS = ("noqueue", "mq", "pfifo_fast", "fq_codel", "pfifo")
MC_FORWARDING = 1
"""The index of mc_forwarding among a link's IPv4 settings: it is not set by hand."""

NOWHERE = "nowhere"
"""The copy's namespace for far ends of cables that lead out of what is copied."""


class CopyError(Exception):
    """Why there can be no exact copy."""


class Netns:
    """A network namespace, original or copy, with sockets in it. Making one leaves this thread in it."""

    def __init__(self, name: str, fd: int) -> None:
        self.name, self.fd = name, fd
        enter_netns(fd)
        self.route = nl.Netlink(nl.NETLINK_ROUTE, MAX_DUMP_BYTES, requires_whole=True)
        self.nft = nl.Netlink(nl.NETLINK_NETFILTER, MAX_DUMP_BYTES, requires_whole=True)


def make_netns(name: str) -> Netns:
    """A new namespace without a name: it goes with our file descriptor. This thread stays in it."""
    unshare(CLONE_NEWNET)
    return Netns(name, os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))


class Link:
    """One link as RTM_NEWLINK shows it. `peer`: (namespace, index) of a veth's other end, where it is known."""

    def __init__(self, payload: bytes) -> None:
        _, self.index, self.flags = struct.unpack_from("=B3xiI", payload)
        found = nl.last_attributes(payload[16:])
        self.name = nl.read_string(found[nl.IFLA_IFNAME])
        self.mac = found.get(nl.IFLA_ADDRESS, b"")
        self.mtu = nl.read_u32(found.get(nl.IFLA_MTU))
        self.master = nl.read_u32(found.get(nl.IFLA_MASTER))
        self.link = nl.read_u32(found.get(nl.IFLA_LINK))
        self.group = nl.read_u32(found.get(nl.IFLA_GROUP))
        self.is_running = found.get(nl.IFLA_OPERSTATE, b"\0")[0] == nl.IF_OPER_UP
        self.nsid = nl.read_u32(found[nl.IFLA_LINK_NETNSID]) if nl.IFLA_LINK_NETNSID in found else None
        info = nl.last_attributes(found.get(nl.IFLA_LINKINFO, b""))
        self.kind = nl.read_string(info.get(nl.IFLA_INFO_KIND, b"")) or (
            "loopback" if self.flags & nl.IFF_LOOPBACK else ""
        )
        self.raw_data = info.get(nl.IFLA_INFO_DATA, b"")
        data = nl.read_attributes(self.raw_data)
        self.data = {key: value for key, value in data if self.kind != "bridge" or key in BRIDGE_SETTINGS}
        is_port = info.get(nl.IFLA_INFO_SLAVE_KIND, b"").startswith(b"bridge")
        port = nl.last_attributes(info.get(nl.IFLA_INFO_SLAVE_DATA, b"")) if is_port else {}
        self.port_state = port.get(nl.IFLA_BRPORT_STATE)
        self.port = {key: value for key, value in port.items() if key in PORT_SETTINGS}
        families = nl.last_attributes(found.get(nl.IFLA_AF_SPEC, b""))
        inet = nl.last_attributes(families.get(nl.AF_INET, b"")).get(nl.IFLA_INET_CONF, b"")
        self.ipv4_settings: list[int] = [value for (value,) in struct.iter_unpack("=I", inet)]
        self.has_xdp = nl.last_attributes(found.get(nl.IFLA_XDP, b"")).get(nl.IFLA_XDP_ATTACHED, b"\0")[0] != 0
        self.peer: tuple[str, int] | None = None

    @property
    def filters_vlans(self) -> bool:
        """Whether it is a bridge with VLAN filtering on."""
        return self.kind == "bridge" and self.data.get(nl.IFLA_BR_VLAN_FILTERING, b"\0")[0] != 0

    def describe(self, names: Mapping[int, str]) -> dict[str, Any]:
        """What must be the same in a copy. `names`: of links by index."""
        # A bridge's carrier follows from its ports, except that one without any keeps what it had at first.
        carrier = 0 if self.kind == "bridge" else nl.IFF_LOWER_UP
        return {
            "kind": self.kind,
            "address": self.mac.hex(),
            "mtu": self.mtu,
            "flags": self.flags & (SETTABLE_FLAGS | carrier),
            "master": names.get(self.master, self.master),
            "group": self.group,
            "options": show_attributes(self.data),
            "port": show_attributes(self.port),
            "state": self.port_state and self.port_state.hex(),
            "settings": [value for number, value in enumerate(self.ipv4_settings) if number != MC_FORWARDING],
            "peer": self.peer,
        }


def show_attributes(found: Mapping[int, bytes]) -> dict[str, str]:
    """Attributes in a form to compare and to show."""
    return {str(key): value.hex() for key, value in sorted(found.items())}


def read_links(space: Netns) -> dict[int, Link]:
    """All links of a namespace by index."""
    body = nl.pack_ifinfomsg(0) + nl.pack_attributes((nl.IFLA_EXT_MASK, nl.RTEXT_FILTER_SKIP_STATS))
    return {link.index: link for link in map(Link, space.route.dump(nl.RTM_GETLINK, body))}


def require_copyable(space: Netns, links: Mapping[int, Link]) -> None:
    """Raises CopyError for what a copy would have to have and has not.

    XDP, VLAN filtering, queues that lose or delay.
    """
    for payload in space.route.dump(nl.RTM_GETQDISC, struct.pack("=B3xiIII", 0, 0, 0, 0, 0)):
        index = struct.unpack_from("=i", payload, 4)[0]
        kind = nl.read_string(nl.last_attributes(payload[20:]).get(1, b""))  # TCA_KIND
        if kind not in HARMLESS_QDISCS and index in links:
            raise CopyError(f"{links[index].name} has a queueing discipline, {kind}")
    for link in links.values():
        if link.has_xdp:
            raise CopyError(f"{link.name} has an XDP program")
        if link.filters_vlans:
            raise CopyError(f"{link.name} filters VLANs")


def find_peers(space: Netns, links: Iterable[Link], fds: Mapping[str, int]) -> None:
    """Sets where each veth's other end is. `fds`: all namespaces that may have it, by name."""
    names = {read_nsid(space.route, fd): name for name, fd in fds.items()}
    for link in links:
        if link.kind == "veth":
            name = space.name if link.nsid is None else names.get(link.nsid)
            link.peer = (name, link.link) if name else None


class LinkMaker:
    """Makes the links of originals again in the copies.

    `originals`: links by index, by the namespace's name. `copies`: the namespaces by name, to which NOWHERE is added
    when a cable leads there.
    """

    def __init__(self, originals: Mapping[str, Mapping[int, Link]], copies: dict[str, Netns]) -> None:
        self.originals, self.copies = originals, copies
        self.made: dict[str, set[int]] = {name: {1} for name in copies}  # a new namespace has lo, the first

    def make_all(self) -> None:
        """Every link, still down and with no master. What one stands on may come after it: so again, while it helps."""
        left = [(name, link) for name, links in self.originals.items() for link in links.values() if name != "world"]
        while left:
            again, reason = [], ""
            for name, link in left:
                if link.index in self.made[name]:
                    continue
                try:
                    self._make(name, link)
                except nl.NetlinkError as error:
                    again.append((name, link))
                    reason = f"{link.name} of {name} can't be made: {error}"
            if len(again) == len(left):
                raise CopyError(reason)
            left = again

    def _make(self, name: str, link: Link) -> None:
        told: list[tuple[int, Any]] = [
            (nl.IFLA_IFNAME, link.name.encode() + b"\0"),
            (nl.IFLA_MTU, link.mtu),
            (nl.IFLA_GROUP, link.group),
        ]
        if any(link.mac):  # a bridge whose last port is gone has none, and can't be given none
            told.append((nl.IFLA_ADDRESS, link.mac))
        info: list[tuple[int, Any]] = [(nl.IFLA_INFO_KIND, link.kind.encode() + b"\0")]
        if link.kind == "veth":
            info.append((nl.IFLA_INFO_DATA, [(nl.VETH_INFO_PEER, self._describe_peer(link))]))
        elif link.kind in STACKED_KINDS:
            told.append((nl.IFLA_LINK, link.link))
            info.append((nl.IFLA_INFO_DATA | nl.NLA_F_NESTED, link.raw_data))
        elif link.kind not in ("bridge", "dummy"):
            kind = link.kind or "a device"
            raise CopyError(f"{link.name} of {name} is of a kind that is not copied: {kind}")
        body = nl.pack_ifinfomsg(link.index) + nl.pack_attributes(*told, (nl.IFLA_LINKINFO, info))
        self.copies[name].route.request(nl.RTM_NEWLINK, body, nl.NLM_F_CREATE | nl.NLM_F_EXCL)
        self.made[name].add(link.index)

    def _describe_peer(self, link: Link) -> bytes:
        """The message about a veth's other end, which is made with it."""
        there, index = link.peer or (NOWHERE, 0)
        if there not in self.copies:
            self.copies[there] = make_netns(there)
            self.made[there] = {1}
        other = self.originals[there].get(index) if there in self.originals else None
        name = other.name if other else f"end{link.index}"
        ends: list[tuple[int, Any]] = [
            (nl.IFLA_NET_NS_FD, self.copies[there].fd),
            (nl.IFLA_IFNAME, name.encode() + b"\0"),
        ]
        if other:
            ends += [(nl.IFLA_ADDRESS, other.mac), (nl.IFLA_MTU, other.mtu), (nl.IFLA_GROUP, other.group)]
        self.made[there].add(index)
        return nl.pack_ifinfomsg(index) + nl.pack_attributes(*ends)


def set_link(space: Netns, index: int, *attributes: tuple[int, Any]) -> None:
    """Sets something of a link."""
    space.route.request(nl.RTM_NEWLINK, nl.pack_ifinfomsg(index) + nl.pack_attributes(*attributes))


def join_links(links: Mapping[int, Link], copy: Netns) -> None:
    """Gives the copy's links their masters, and then bridges and ports what is set of them."""
    for link in links.values():
        if link.master:
            set_link(copy, link.index, (nl.IFLA_MASTER, link.master))
    now = read_links(copy)
    for index, link in links.items():
        there = now[index]
        if link.kind == "bridge":
            changed = list_changed(link.data, there.data, leave_out=nl.IFLA_BR_STP_STATE)
            if changed:
                info = [(nl.IFLA_INFO_KIND, b"bridge\0"), (nl.IFLA_INFO_DATA, changed)]
                set_link(copy, index, (nl.IFLA_LINKINFO, info))
        changed = list_changed(link.port, there.port)
        if changed:
            info = [(nl.IFLA_INFO_SLAVE_KIND, b"bridge\0"), (nl.IFLA_INFO_SLAVE_DATA, changed)]
            set_link(copy, index, (nl.IFLA_LINKINFO, info))
        if there.mtu != link.mtu:  # a bridge takes the smallest of its ports', unless it was told another
            set_link(copy, index, (nl.IFLA_MTU, link.mtu))


def list_changed(wanted: Mapping[int, bytes], have: Mapping[int, bytes], leave_out: int = 0) -> list[tuple[int, Any]]:
    """The attributes that differ."""
    return [(key, value) for key, value in wanted.items() if have.get(key) != value and key != leave_out]


def raise_links(links: Mapping[int, Link], copy: Netns) -> None:
    """Sets the copy's links up, with each link's own settings in net.ipv4.conf: netlink takes them by number."""
    now = read_links(copy)
    for index, link in links.items():
        before = now[index].ipv4_settings
        settings: list[tuple[int, Any]] = [
            (number + 1, value)
            for number, value in enumerate(link.ipv4_settings)
            if number != MC_FORWARDING and before[number] != value
        ]
        body = nl.pack_ifinfomsg(index, link.flags & SETTABLE_FLAGS, SETTABLE_FLAGS)
        if settings:
            body += nl.pack_attributes((nl.IFLA_AF_SPEC, [(nl.AF_INET, [(nl.IFLA_INET_CONF, settings)])]))
        copy.route.request(nl.RTM_NEWLINK, body)


def start_spanning_tree(links: Mapping[int, Link], copy: Netns) -> None:
    """Switches STP on where it is on: last, as with it ports first listen and learn for half a minute."""
    for index, link in links.items():
        state = link.data.get(nl.IFLA_BR_STP_STATE)
        if link.kind == "bridge" and state and nl.read_u32(state):
            info = [(nl.IFLA_INFO_KIND, b"bridge\0"), (nl.IFLA_INFO_DATA, [(nl.IFLA_BR_STP_STATE, state)])]
            set_link(copy, index, (nl.IFLA_LINKINFO, info))


def raise_far_ends(originals: Iterable[Link], nowhere: Netns) -> None:
    """Sets the far ends of cables that lead out of what is copied up where the original has a carrier."""
    carried = {f"end{link.index}" for link in originals if link.flags & nl.IFF_LOWER_UP}
    for link in read_links(nowhere).values():
        if link.name in carried:
            nowhere.route.request(nl.RTM_NEWLINK, nl.pack_ifinfomsg(link.index, nl.IFF_UP, nl.IFF_UP))
