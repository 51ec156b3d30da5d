"""Packets as bytes, and packet(7) sockets that see them."""

from __future__ import annotations

import socket
import struct

from agent.netlink import SO_RCVBUFFORCE, enlarge_buffer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ICMP, TCP, UDP = 1, 6, 17
ETH_P_ALL, ETH_P_IP, ETH_P_ARP = 3, 0x800, 0x806
# include/uapi/linux/if_packet.h, asm-generic/socket.h
PACKET_OTHERHOST, PACKET_OUTGOING = 3, 4
SOL_PACKET, PACKET_STATISTICS = 263, 6
SO_TIMESTAMPNS = 35
DNS_PORT = 53
TH_SYN, TH_RST, TH_ACK = 2, 4, 16
ECHO_REPLY, UNREACHABLE, REDIRECT, ECHO, TIME_EXCEEDED = 0, 3, 5, 8, 11
"""Types of ICMP messages, RFC 792."""

ARP_OPERATIONS = {1: "who-has", 2: "is-at"}


def open_packet_socket(kind: int, buffer: int = 4 << 20, sees_nothing_yet: bool = False) -> socket.socket:
    """A socket that sees all packets of this thread's network namespace, with their time. It does not block.

    `kind`: SOCK_DGRAM without the link's header, SOCK_RAW with it. `sees_nothing_yet`: until it is bound to a link.
    """
    protocol = 0 if sees_nothing_yet else socket.htons(ETH_P_ALL)
    sock = socket.socket(socket.AF_PACKET, kind | socket.SOCK_NONBLOCK, protocol)
    enlarge_buffer(sock, SO_RCVBUFFORCE, buffer)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    return sock


def bind_packet_socket(sock: socket.socket, device: str) -> None:
    """Has a packet socket see one link's packets alone, from now on."""
    sock.bind((device, ETH_P_ALL))


def read_stamp(ancillary: list[tuple[int, int, bytes]]) -> tuple[int, int]:
    """(seconds, nanoseconds) of when the kernel saw a packet; zeros without a stamp."""
    for level, _, data in ancillary:
        if level == socket.SOL_SOCKET:
            seconds, nanoseconds = struct.unpack("=qq", data[:16])
            return int(seconds), int(nanoseconds)
    return 0, 0


def read_drops(sock: socket.socket) -> int:
    """Packets that the kernel could not keep for this socket since it was asked last."""
    return int(struct.unpack("II", sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1])


def checksum(data: bytes) -> int:
    """The Internet checksum, RFC 1071, of an even number of bytes."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~int(total + (total >> 16)) & 0xFFFF


def make_echo(ident: bytes, sequence: int, body: bytes) -> bytes:
    """An echo request, RFC 792. `ident`: two bytes."""
    rest = ident + struct.pack("!H", sequence) + body
    return struct.pack("!BBH", ECHO, 0, checksum(b"\x08\0\0\0" + rest)) + rest


def make_dns_question(name: str) -> bytes:
    """The question section of a query for a name's IPv4 addresses, RFC 1035."""
    labels = [label.encode() for label in name.split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0\0\1\0\1"


def make_dns_query(ident: bytes, name: str) -> bytes:
    """A whole query, with recursion desired. `ident`: two bytes."""
    return ident + b"\1\0\0\1\0\0\0\0\0\0" + make_dns_question(name)


def describe_ends(what: str, source: bytes, target: bytes, ports: tuple[int, int] = (0, 0)) -> dict[str, Any]:
    """{"what", "source", "sourcePort", "target", "targetPort"} of a packet. Addresses come as 4 bytes."""
    return {
        "what": what,
        "source": socket.inet_ntoa(source),
        "sourcePort": ports[0],
        "target": socket.inet_ntoa(target),
        "targetPort": ports[1],
    }


def describe_arp(data: bytes) -> dict[str, Any] | None:
    """What `describe_ends` gives, of an ARP packet (RFC 826): who-has or is-at. None for another operation."""
    what = ARP_OPERATIONS.get(data[7]) if len(data) >= 28 else None
    if what is None:
        return None
    return describe_ends(what, data[14:18], data[24:28])


def find_client_random(payload: bytes) -> bytes | None:
    """The random of a TLS ClientHello, RFC 8446 4.1.2: no translation changes it. None: it is no ClientHello."""
    return payload[11:43] if payload[:2] == b"\x16\x03" and payload[5:6] == b"\1" else None
