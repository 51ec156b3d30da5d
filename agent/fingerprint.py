"""Fingerprint of everything that verdicts depend on. It needs only system calls and takes a few ms per namespace.

What moves by itself or by our own packets is in none of it: counters, timers, carriers, neighbours, connections, learnt
MAC addresses, elements of dynamic sets, link-local IPv6.
"""

from __future__ import annotations

import errno
import struct

from agent import netlink as nl
from agent.legacy import read_entries
from agent.namespaces import run_in_each
from agent.settings import read_settings
from agent.sockets import list_open_ports
from agent.system import hash_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from agent.view import View

PARTS = ("names", "links", "addresses", "routes", "rules", "nft", "legacy", "sysctls", "sockets", "files")
"""What the digits stand for, in their order: checker/facts/parse.ts has the same."""

LINK_PARTS = (
    nl.IFLA_IFNAME,
    nl.IFLA_ADDRESS,
    nl.IFLA_MTU,
    nl.IFLA_LINK,
    nl.IFLA_MASTER,
    nl.IFLA_LINK_NETNSID,
)
BRIDGE_PARTS = (
    nl.IFLA_BR_STP_STATE,
    nl.IFLA_BR_VLAN_FILTERING,
    nl.IFLA_BR_NF_CALL_IPTABLES,
    nl.IFLA_BR_NF_CALL_IP6TABLES,
    nl.IFLA_BR_NF_CALL_ARPTABLES,
)
PORT_PARTS = (
    nl.IFLA_BRPORT_MODE,
    nl.IFLA_BRPORT_LEARNING,
    nl.IFLA_BRPORT_UNICAST_FLOOD,
    nl.IFLA_BRPORT_PROXYARP,
    nl.IFLA_BRPORT_MCAST_FLOOD,
    nl.IFLA_BRPORT_ISOLATED,
)


def read_links(link: nl.Netlink) -> Iterator[list[Any]]:
    """Links with what is set of them, also conf/DEVICE of IPv4 and IPv6."""
    body = nl.pack_ifinfomsg(0) + nl.pack_attributes((nl.IFLA_EXT_MASK, nl.RTEXT_FILTER_SKIP_STATS))
    for answer in link.dump(nl.RTM_GETLINK, body):
        index, flags = struct.unpack_from("=iI", answer, 4)
        has = nl.first_attributes(answer[16:])
        info = nl.first_attributes(has.get(nl.IFLA_LINKINFO, b""))
        families = nl.first_attributes(has.get(nl.IFLA_AF_SPEC, b""))
        data = nl.first_attributes(info.get(nl.IFLA_INFO_DATA, b""))
        port = nl.first_attributes(info.get(nl.IFLA_INFO_SLAVE_DATA, b""))
        yield [
            index,
            flags & nl.IFF_UP,
            [has.get(kind) for kind in LINK_PARTS],
            info.get(nl.IFLA_INFO_KIND),
            [data.get(kind) for kind in BRIDGE_PARTS],
            [port.get(kind) for kind in PORT_PARTS],
            nl.first_attributes(families.get(nl.AF_INET, b"")).get(nl.IFLA_INET_CONF),
            nl.first_attributes(families.get(nl.AF_INET6, b"")).get(nl.IFLA_INET6_CONF),
        ]


def read_addresses(link: nl.Netlink) -> Iterator[list[Any]]:
    """Addresses without link-local IPv6."""
    for answer in link.dump(nl.RTM_GETADDR, b"\0" * 8):
        family, prefix, _, scope, index = struct.unpack_from("=BBBBI", answer)
        has = nl.first_attributes(answer[8:])
        if family == nl.AF_INET or scope != nl.RT_SCOPE_LINK:
            yield [family, prefix, scope, index, has.get(nl.IFA_ADDRESS), has.get(nl.IFA_LOCAL)]


def is_own_route(body: bytes) -> bool:
    """Whether the kernel made a route by itself: a cloned one, or an IPv6 one that comes with an address."""
    flags = struct.unpack_from("=I", body, 8)[0]
    return bool(flags & nl.RTM_F_CLONED) or (body[0] == nl.AF_INET6 and body[5] == nl.RTPROT_KERNEL)


def read_routes(link: nl.Netlink) -> Iterator[list[Any]]:
    """Routes that somebody made."""
    for answer in link.dump(nl.RTM_GETROUTE, b"\0" * 12):
        if not is_own_route(answer):
            has = nl.first_attributes(answer[12:]).items()
            kept = sorted((kind, data) for kind, data in has if kind not in (nl.RTA_CACHEINFO, nl.RTA_EXPIRES))
            yield [answer[:8], kept]


def read_generation() -> list[bytes | None] | None:
    """The generation of nftables. It counts transactions, not packets. None: the kernel has no nftables."""
    try:
        link = nl.Netlink(nl.NETLINK_NETFILTER)
        answers = link.request(nl.NFT_MSG_GETGEN, b"\0" * 4)
        link.close()
    except OSError:
        return None
    return [nl.first_attributes(answer[4:]).get(nl.NFTA_GEN_ID) for answer in answers]


def read_parts() -> dict[str, Any]:
    """All parts of the namespace that this thread is in, but the two that the view knows."""
    link = nl.Netlink()
    found = {
        "links": list(read_links(link)),
        "addresses": list(read_addresses(link)),
        "routes": list(read_routes(link)),
        "rules": link.dump(nl.RTM_GETRULE, b"\0" * 12),
    }
    link.close()
    return {
        **found,
        "nft": read_generation(),
        "legacy": list(read_entries()),
        "sysctls": read_settings(("all", "default")),  # a link's own are in what netlink says of it
        "sockets": sorted(list_open_ports()),
    }


def take_fingerprint(view: View, spaces: Mapping[str, int]) -> str:
    """8 hexadecimal digits for each of PARTS, joined by `-`. `spaces`: file descriptors by name.

    Raises OSError when the lab host's own namespace can't be read: a fingerprint without it would never differ.
    """
    view.begin("names", [name[6:] for name in spaces if name.startswith("netns ")])
    found = run_in_each(spaces, lambda name: read_parts())
    if "root" not in found:
        read_parts()  # says why
        raise OSError(errno.EAGAIN, "the lab host's own network namespace could not be read")
    parts: dict[str, Any] = {part: [(name, found[name].get(part)) for name in sorted(found)] for part in PARTS}
    parts["names"], parts["files"] = view.take_answer()[0]
    return "-".join(hash_bytes(repr(parts[part]).encode())[:8] for part in PARTS)
