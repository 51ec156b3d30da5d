"""Addresses, neighbours, policy rules and routes: dumped in one form, and added where the copy lacks them."""

from __future__ import annotations

import struct

from agent import netlink as nl
from agent.copy_links import CopyError, Netns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Entry = tuple[tuple[Any, ...], bytes]
    """The key that identifies an entry, and the body of the message that adds it."""

FAMILIES = (nl.AF_INET, nl.AF_INET6)
KEPT_OF_ADDRESS = (nl.IFA_ADDRESS, nl.IFA_LOCAL, nl.IFA_LABEL, nl.IFA_BROADCAST, nl.IFA_RT_PRIORITY)
KEPT_OF_NEIGHBOUR = (nl.NDA_DST, nl.NDA_LLADDR, nl.NDA_VLAN)


def dump_addresses(space: Netns) -> list[Entry]:
    """IPv6 addresses that the kernel made by itself are left out."""
    found = []
    for body in space.route.dump(nl.RTM_GETADDR, struct.pack("=BBBBI", 0, 0, 0, 0, 0)):
        family, prefix, _, scope, index = struct.unpack_from("=BBBBI", body)
        have = nl.last_attributes(body[8:])
        flags = nl.read_u32(have.get(nl.IFA_FLAGS))
        is_ipv6 = family == nl.AF_INET6
        if is_ipv6 and (scope != nl.RT_SCOPE_UNIVERSE or not flags & nl.IFA_F_PERMANENT):
            continue
        kept = [(key, have[key]) for key in KEPT_OF_ADDRESS if key in have]
        set_by_hand = flags & nl.IFA_F_NOPREFIXROUTE | (nl.IFA_F_NODAD if is_ipv6 else 0)
        attributes = nl.pack_attributes(*kept, (nl.IFA_FLAGS, set_by_hand))
        message = struct.pack("=BBBBI", family, prefix, 0, scope, index) + attributes
        secondary = 0 if is_ipv6 else flags & nl.IFA_F_SECONDARY
        found.append(((family, prefix, scope, index, secondary, set_by_hand, *kept), message))
    return found


def dump_routes(space: Netns) -> list[Entry]:
    """IPv6 routes that come with an address or from a router are left out. Raises CopyError for a nexthop object."""
    found = []
    for family in FAMILIES:
        for body in space.route.dump(nl.RTM_GETROUTE, struct.pack("=BBBBBBBBI", family, *[0] * 8)):
            if body[0] != family:
                continue
            head = list(struct.unpack_from("=BBBBBBBBI", body))
            head[8] &= nl.RTNH_F_ONLINK  # the rest says how the links are
            have = nl.last_attributes(body[12:])
            if nl.RTA_NH_ID in have:
                raise CopyError("a route by a nexthop object")
            is_ipv6 = family == nl.AF_INET6
            is_local = nl.read_u32(have.get(nl.RTA_TABLE)) == nl.RT_TABLE_LOCAL
            if is_ipv6 and (head[5] in (nl.RTPROT_KERNEL, nl.RTPROT_RA) or is_local):
                continue
            left_out = {nl.RTA_CACHEINFO, nl.RTA_EXPIRES, nl.RTA_PREF if is_ipv6 else 0}
            kept = [
                (key, clear_hop_states(value) if key == nl.RTA_MULTIPATH else value)
                for key, value in sorted(have.items())
                if key not in left_out
            ]
            message = struct.pack("=BBBBBBBBI", *head) + nl.pack_attributes(*kept)
            found.append(((*head, *kept), message))
    return found


def clear_hop_states(data: bytes) -> bytes:
    """RTA_MULTIPATH without what its next hops say of their links: struct rtnexthop."""
    made, at = b"", 0
    while at + 8 <= len(data):
        length, flags = struct.unpack_from("=HB", data, at)
        made += data[at : at + 2] + bytes([flags & nl.RTNH_F_ONLINK]) + data[at + 3 : at + length]
        at += max(8, (length + 3) & ~3)
    return made


def dump_rules(space: Netns) -> list[Entry]:
    """Policy rules: struct fib_rule_hdr."""
    found = []
    for family in FAMILIES:
        try:
            bodies = space.route.dump(nl.RTM_GETRULE, struct.pack("=B11x", family))
        except nl.NetlinkError:
            continue  # no IPv6 here
        for body in bodies:
            head, flags = body[:8], nl.read_u32(body[8:12]) & nl.FIB_RULE_INVERT
            kept = sorted(nl.read_attributes(body[12:]))
            message = head + struct.pack("=I", flags) + nl.pack_attributes(*kept)
            found.append(((head, flags, *kept), message))
    return found


def dump_neighbours(space: Netns) -> list[Entry]:
    """Permanent ones, proxies, and a bridge's own static entries: struct ndmsg."""
    found = []
    for asked, flags in ((nl.AF_UNSPEC, 0), (nl.AF_UNSPEC, nl.NTF_PROXY), (nl.AF_BRIDGE, 0)):
        for body in space.route.dump(nl.RTM_GETNEIGH, struct.pack("=B3xiHBB", asked, 0, 0, flags, 0)):
            family, index, state, _, _ = struct.unpack_from("=B3xiHBB", body)
            have = nl.last_attributes(body[12:])
            is_bridge = asked == nl.AF_BRIDGE
            static = nl.NUD_PERMANENT | nl.NUD_NOARP if is_bridge else nl.NUD_PERMANENT
            if (not flags and not state & static) or (is_bridge and nl.NDA_MASTER not in have):
                continue
            kept = [(key, have[key]) for key in KEPT_OF_NEIGHBOUR if key in have]
            head = struct.pack("=B3xiHBB", family, index, state, nl.NTF_MASTER if is_bridge else flags, 0)
            found.append(((family, index, state, flags, *kept), head + nl.pack_attributes(*kept)))
    return found


class Kind:
    """One kind of entry: how all of it is dumped, and the messages that add and take away one."""

    def __init__(self, name: str, dump: Callable[[Netns], list[Entry]], add: int, take: int | None) -> None:
        self.name, self.dump, self.add, self.take = name, dump, add, take


ADDRESSES = Kind("address", dump_addresses, nl.RTM_NEWADDR, nl.RTM_DELADDR)
OTHERS = (
    Kind("neighbour", dump_neighbours, nl.RTM_NEWNEIGH, None),
    Kind("policy rule", dump_rules, nl.RTM_NEWRULE, nl.RTM_DELRULE),
    Kind("route", dump_routes, nl.RTM_NEWROUTE, nl.RTM_DELROUTE),
)
"""The order in which they can be made, after the addresses."""

KINDS = (ADDRESSES, *OTHERS)


def bring_entries(kind: Kind, wanted: Sequence[Entry], copy: Netns) -> None:
    """Takes away what the original lacks and adds what the copy lacks.

    What an entry needs may come after it: so again.
    """
    have = kind.dump(copy)
    wanted_keys, have_keys = {key for key, _ in wanted}, {key for key, _ in have}
    if kind.take is not None:
        for key, message in have:
            if key not in wanted_keys:
                copy.route.request(kind.take, message)
    flags = nl.NLM_F_CREATE | (nl.NLM_F_APPEND if kind.add == nl.RTM_NEWROUTE else 0)
    left = [message for key, message in wanted if key not in have_keys]
    while left:
        again, reason = [], ""
        for message in left:
            try:
                copy.route.request(kind.add, message, flags)
            except nl.NetlinkError as error:
                again.append(message)
                reason = str(error)
        if len(again) == len(left):
            raise CopyError(f"a {kind.name} of {copy.name} can't be made: {reason}")
        left = again
