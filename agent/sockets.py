"""What listens in the network namespace that this thread is in: sock_diag(7)."""

from __future__ import annotations

import socket
import struct

from agent.netlink import NETLINK_SOCK_DIAG, Netlink, first_attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SOCK_DIAG_BY_FAMILY = 20
TCP_LISTEN, TCP_CLOSE = 1 << 10, 1 << 7  # states as bits; a UDP socket without a peer is in TCP_CLOSE
INET_DIAG_SKV6ONLY = 11
PROTOCOLS = (("tcp", socket.IPPROTO_TCP, TCP_LISTEN), ("udp", socket.IPPROTO_UDP, TCP_CLOSE))
MOST_LISTENERS = 2000
EPHEMERAL_PORTS = 32768
"""Where the ports begin that the kernel draws by itself: ip_local_port_range in ip-sysctl.rst."""


class Listener:
    """A TCP socket in LISTEN or a UDP socket without a peer.

    `device`: index of the link that it is bound to, 0 for none. `inode`: the socket's, by which its owner is found.
    """

    def __init__(self, protocol: str, family: int, answer: bytes) -> None:
        self.protocol, self.family = protocol, family
        self.port = int(struct.unpack_from("!H", answer, 4)[0])
        self.device, self.inode = struct.unpack_from("=I24xI", answer, 40)
        self.ip = socket.inet_ntop(family, answer[8 : 12 if family == socket.AF_INET else 24])
        only_ipv6 = first_attributes(answer[72:]).get(INET_DIAG_SKV6ONLY, b"\1")[:1] != b"\0"
        self.both_families = family == socket.AF_INET6 and self.ip == "::" and not only_ipv6
        """Whether it takes IPv4 too."""

    def show_address(self, devices: dict[int, str]) -> str:
        """The address as `ss -ltu` shows it: `10.0.0.1`, `[::1]`, `*`, with `%DEVICE` behind it."""
        address = self.ip if self.family == socket.AF_INET else "*" if self.both_families else f"[{self.ip}]"
        return f"{address}%{devices.get(self.device, self.device)}" if self.device else address


def read_listeners() -> list[Listener]:
    """All of the namespace."""
    link, found = Netlink(NETLINK_SOCK_DIAG), []
    for protocol, number, states in PROTOCOLS:
        for family in (socket.AF_INET, socket.AF_INET6):
            request = struct.pack("=BBBBI48x", family, number, 0, 0, states)
            found += [Listener(protocol, family, answer) for answer in link.dump(SOCK_DIAG_BY_FAMILY, request)]
    link.close()
    return found


def describe_listeners() -> list[dict[str, Any]]:
    """[{"protocol", "address", "port", "inode"}], as facts have them."""
    devices = dict(socket.if_nameindex())
    return [
        {"protocol": one.protocol, "address": one.show_address(devices), "port": one.port, "inode": one.inode}
        for one in read_listeners()[:MOST_LISTENERS]
    ]


def list_open_ports(udp_below: int = EPHEMERAL_PORTS) -> set[tuple[str, str, int]]:
    """{(protocol, address, port)}: a listener that is made anew for each client is the same one.

    Without what comes by itself: UDP ports from `udp_below` on, which a resolver draws for a question, and link-local
    IPv6, which a server takes when such an address comes.
    """
    found = {(one["protocol"], one["address"], one["port"]) for one in describe_listeners()}
    return {
        (protocol, address, port)
        for protocol, address, port in found
        if (protocol == "tcp" or port < udp_below) and not address.startswith("[fe80:")
    }
