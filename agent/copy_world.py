"""A world of our own beyond a copy's uplink: the addresses and answers of cloud-init/files, seen by nobody but us.

`numbers` is `world` of host/world.ts.
"""

from __future__ import annotations

import socket
import struct

from agent import netlink as nl
from agent import nftables as nft
from agent.copy_links import Netns, read_links
from agent.namespaces import enter_netns
from agent.packets import DNS_PORT, UDP
from agent.relays import READ, Answering, Servers
from agent.settings import write_setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Numbers = Mapping[str, Any]

RTN_LOCAL, DNS_NO_SUCH_NAME = 2, 3
NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR = 3, 2
NFTA_FIB_DREG, NFTA_FIB_RESULT, NFTA_FIB_FLAGS = 1, 2, 3
NFTA_REJECT_TYPE, NFTA_REJECT_ICMP_CODE, NFT_REJECT_ICMP_UNREACH = 1, 2, 0
ICMP_HOST_UNREACHABLE, ICMP_PORT_UNREACHABLE = 1, 3
INTERFACE_NAME_BYTES = 16


def build_world(space: Netns, numbers: Numbers, far_end: str) -> None:
    """Links up, addresses, no way to what is unknown: as world-start does. `far_end`: the uplink's other end."""
    enter_netns(space.fd)
    write_setting("net/ipv4/icmp_ratelimit", b"0")
    for device in ("all", "default", far_end):
        write_setting(f"net/ipv4/conf/{device}/rp_filter", b"0")
    index = {link.name: link.index for link in read_links(space).values()}
    uplink = numbers["uplink"]
    hosts = [numbers["site"]["address"], numbers["outside"], *numbers["resolvers"]]
    near = [(uplink["gateway"], uplink["prefix"]), (numbers["lanPeer"], uplink["prefix"])]
    for name, addresses in (("lo", [(address, 32) for address in hosts]), (far_end, near)):
        if name not in index:
            continue
        for address, prefix in addresses:
            packed = socket.inet_aton(address)
            body = struct.pack("=BBBBI", nl.AF_INET, prefix, 0, 0, index[name])
            body += nl.pack_attributes((nl.IFA_ADDRESS, packed), (nl.IFA_LOCAL, packed))
            space.route.request(nl.RTM_NEWADDR, body, nl.NLM_F_CREATE)
        space.route.request(nl.RTM_NEWLINK, nl.pack_ifinfomsg(index[name], nl.IFF_UP, nl.IFF_UP))
    unreachable = struct.pack(
        "=BBBBBBBBI",
        nl.AF_INET,
        *(0, 0, 0),
        *(nl.RT_TABLE_MAIN, nl.RTPROT_STATIC, nl.RT_SCOPE_UNIVERSE, nl.RTN_UNREACHABLE),
        0,
    )
    space.route.request(nl.RTM_NEWROUTE, unreachable, nl.NLM_F_CREATE)
    nft.send_items(space.nft, make_refusing_rules(far_end))


def make_refusing_rules(far_end: str) -> list[nft.Item]:
    """The rules of world-start: what comes in for nobody is refused at once."""
    table, chain = b"world\0", b"unknown\0"
    came = [
        nft.make_expression("meta", (nft.NFTA_META_KEY, nft.NFT_META_IIFNAME), (nft.NFTA_META_DREG, nft.NFT_REG_1)),
        nft.make_comparison(far_end.encode().ljust(INTERFACE_NAME_BYTES, b"\0")),
    ]
    is_local = [
        nft.make_expression(
            "fib",
            (NFTA_FIB_DREG, nft.NFT_REG_1),
            (NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR),
            (NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE),
        ),
        nft.make_comparison(struct.pack("=I", RTN_LOCAL)),
    ]
    is_udp = [
        nft.make_expression("meta", (nft.NFTA_META_KEY, nft.NFT_META_L4PROTO), (nft.NFTA_META_DREG, nft.NFT_REG_1)),
        nft.make_comparison(bytes([UDP])),
    ]
    verdict = [(nft.NFTA_DATA_VERDICT, [(nft.NFTA_VERDICT_CODE, nl.pack_u32be(nft.NF_ACCEPT))])]
    accept = nft.make_expression(
        "immediate", (nft.NFTA_IMMEDIATE_DREG, nft.NFT_REG_VERDICT), (nft.NFTA_IMMEDIATE_DATA, verdict)
    )
    rules = [
        nft.make_rule(table, chain, *came, *is_local, accept),
        nft.make_rule(table, chain, *came, *is_udp, make_reject(ICMP_PORT_UNREACHABLE)),
        nft.make_rule(table, chain, *came, make_reject(ICMP_HOST_UNREACHABLE)),
    ]
    return [
        (nft.TABLE, nl.AF_INET, [(nft.NFTA_TABLE_NAME, table)]),
        (nft.CHAIN, nl.AF_INET, nft.make_chain(table, chain, nft.NF_INET_PRE_ROUTING, 0)),
        *((nft.RULE, nl.AF_INET, rule) for rule in rules),
    ]


def make_reject(code: int) -> tuple[int, Any]:
    """The expression that refuses a packet by an ICMP message."""
    return nft.make_expression(
        "reject", (NFTA_REJECT_TYPE, NFT_REJECT_ICMP_UNREACH), (NFTA_REJECT_ICMP_CODE, bytes([code]))
    )


def answer_http(got: bytes) -> bytes | None:
    """The site's page for any whole request; None as long as it is not whole."""
    if b"\r\n\r\n" not in got:
        return None
    body = b"handwired world: " + got.split(b"\r\n")[0][:200] + b"\n"
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)


def answer_dns(message: bytes, numbers: Numbers) -> bytes | None:
    """As world.py answers: A of the site and of all names under it, no such name otherwise. None: no query."""
    if len(message) < 17 or message[2] & 0xF8:
        return None
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]])
        at += 1 + message[at]
    name, kind = b".".join(labels).decode("latin-1").lower(), struct.unpack_from("!H", message, at + 1)[0]
    site = numbers["site"]["name"]
    is_ours = name == site or name.endswith("." + site)
    record = b""
    if is_ours and kind == 1:
        record = struct.pack("!HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(numbers["site"]["address"])
    flags = 0x8080 | (message[2] & 1) << 8 | (0 if is_ours else DNS_NO_SUCH_NAME)
    counts = struct.pack("!5H", flags, 1, 1 if record else 0, 0, 0)
    return message[:2] + counts + message[12 : at + 5] + record


def answer_dns_stream(got: bytes, numbers: Numbers) -> bytes | None:
    """The same over TCP, where each message comes behind its length."""
    length = struct.unpack_from("!H", got)[0] if len(got) > 1 else 1 << 16
    reply = answer_dns(got[2 : 2 + length], numbers) if len(got) >= length + 2 else None
    return struct.pack("!H", len(reply)) + reply if reply else None


def answer_datagram(sock: socket.socket, numbers: Numbers) -> None:
    """Takes a query from a UDP socket and answers it."""
    message, peer = sock.recvfrom(4096)
    reply = answer_dns(message, numbers)
    if reply:
        sock.sendto(reply, peer)


def start_world(servers: Servers, space: Netns, numbers: Numbers) -> None:
    """Serves the site and the resolvers."""
    for port in numbers["site"]["ports"]:
        sock = servers.bind(space, socket.SOCK_STREAM, numbers["site"]["address"], port)
        servers.accept_with(sock, lambda client, _: Answering(servers, client, answer_http))
    for address in numbers["resolvers"]:
        stream = servers.bind(space, socket.SOCK_STREAM, address, DNS_PORT)
        servers.accept_with(
            stream, lambda client, _: Answering(servers, client, lambda got: answer_dns_stream(got, numbers))
        )
        serve_datagrams(servers, servers.bind(space, socket.SOCK_DGRAM, address, DNS_PORT), numbers)


def serve_datagrams(servers: Servers, sock: socket.socket, numbers: Numbers) -> None:
    """Answers what comes to one UDP socket."""
    servers.selector.register(sock, READ, lambda _: answer_datagram(sock, numbers))
