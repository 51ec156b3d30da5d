"""netlink(7): asks the kernel for its state, changes it, and follows its events.

Messages are those of the kernel's include/uapi/linux: netlink.h, rtnetlink.h, if_link.h, neighbour.h, fib_rules.h,
netfilter/nfnetlink.h and nf_tables.h.
"""

from __future__ import annotations

import errno
import os
import socket
import struct

from agent.system import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Protocols.
NETLINK_ROUTE, NETLINK_SOCK_DIAG, NETLINK_NETFILTER = 0, 4, 12
# Flags of a message.
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP_INTR = 1, 4, 0x10
NLM_F_EXCL, NLM_F_CREATE, NLM_F_APPEND, NLM_F_DUMP = 0x200, 0x400, 0x800, 0x300
# Types of a message that every protocol has.
NLMSG_ERROR, NLMSG_DONE = 2, 3
# Options of a socket: SOL_SOCKET's and SOL_NETLINK's.
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
ORDINARY = {SO_SNDBUFFORCE: socket.SO_SNDBUF, SO_RCVBUFFORCE: socket.SO_RCVBUF}
SOL_NETLINK = 270
NETLINK_ADD_MEMBERSHIP, NETLINK_LISTEN_ALL_NSID = 1, 8
NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK = 10, 11, 12
NLMSGERR_ATTR_MSG = 1
# Types of rtnetlink's messages.
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTM_NEWNEIGH, RTM_GETNEIGH = 28, 30
RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE = 32, 33, 34
RTM_GETQDISC, RTM_NEWNETCONF, RTM_GETNSID = 38, 80, 90
# Groups of rtnetlink's events, as bits of a socket's address: RTMGRP_* and 1 << (RTNLGRP_* - 1).
GROUP_LINK, GROUP_IPV4_ADDRESS, GROUP_IPV4_NETCONF, GROUP_IPV4_ROUTE = 1, 1 << 4, 1 << 23, 1 << 6
GROUP_IPV4_RULE, GROUP_IPV6_ADDRESS, GROUP_IPV6_ROUTE = 1 << 7, 1 << 8, 1 << 10
GROUP_IPV6_RULE, GROUP_IPV6_NETCONF, GROUP_NSID = 1 << 18, 1 << 24, 1 << 27
GROUP_NFTABLES = 1 << 6  # of nfnetlink: NFNLGRP_NFTABLES
NFNLGRP_NFTRACE = 9
# Families of messages.
AF_UNSPEC, AF_INET, AF_BRIDGE, AF_INET6 = 0, 2, 7, 10
# A link: IFF_*, IFLA_*, IFLA_INFO_*.
IFF_UP, IFF_LOOPBACK, IFF_NOARP, IFF_PROMISC, IFF_ALLMULTI = 1, 8, 0x80, 0x100, 0x200
IFF_MULTICAST, IFF_LOWER_UP = 0x1000, 0x10000
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_MASTER, IFLA_OPERSTATE = 1, 3, 4, 5, 10, 16
IFLA_LINKINFO, IFLA_AF_SPEC, IFLA_GROUP, IFLA_NET_NS_FD, IFLA_EXT_MASK = 18, 26, 27, 28, 29
IFLA_LINK_NETNSID, IFLA_XDP = 37, 43
IFLA_INFO_KIND, IFLA_INFO_DATA, IFLA_INFO_SLAVE_KIND, IFLA_INFO_SLAVE_DATA = 1, 2, 4, 5
IFLA_INET_CONF, IFLA_INET6_CONF, IFLA_XDP_ATTACHED, VETH_INFO_PEER = 1, 2, 2, 1
RTEXT_FILTER_SKIP_STATS = 8
IF_OPER_UP = 6  # RFC 2863
IFLA_BR_STP_STATE, IFLA_BR_VLAN_FILTERING = 5, 7
IFLA_BR_NF_CALL_IPTABLES, IFLA_BR_NF_CALL_IP6TABLES, IFLA_BR_NF_CALL_ARPTABLES = 36, 37, 38
IFLA_BRPORT_STATE, IFLA_BRPORT_MODE, IFLA_BRPORT_LEARNING, IFLA_BRPORT_UNICAST_FLOOD = 1, 4, 8, 9
IFLA_BRPORT_PROXYARP, IFLA_BRPORT_MCAST_FLOOD, IFLA_BRPORT_ISOLATED = 10, 27, 33
# An address, a route, a neighbour, a namespace's number, a setting of a link.
IFA_ADDRESS, IFA_LOCAL, IFA_LABEL, IFA_BROADCAST, IFA_FLAGS, IFA_RT_PRIORITY = 1, 2, 3, 4, 8, 9
IFA_F_SECONDARY, IFA_F_NODAD, IFA_F_PERMANENT, IFA_F_NOPREFIXROUTE = 1, 2, 0x80, 0x200
RT_SCOPE_UNIVERSE, RT_SCOPE_LINK, RT_TABLE_MAIN, RT_TABLE_LOCAL, RTN_UNREACHABLE = 0, 253, 254, 255, 7
RTPROT_KERNEL, RTPROT_STATIC, RTPROT_RA = 2, 4, 9
RTA_DST, RTA_MULTIPATH, RTA_CACHEINFO, RTA_TABLE, RTA_PREF, RTA_EXPIRES, RTA_NH_ID = 1, 9, 12, 15, 20, 23, 30
RTM_F_CLONED, RTNH_F_ONLINK, FIB_RULE_INVERT = 0x200, 4, 2
NDA_DST, NDA_LLADDR, NDA_VLAN, NDA_MASTER = 1, 2, 5, 9
NTF_MASTER, NTF_PROXY, NUD_INCOMPLETE, NUD_NOARP, NUD_PERMANENT = 4, 8, 1, 0x40, 0x80
NETNSA_NSID, NETNSA_FD = 1, 3
NETCONFA_IFINDEX, NETCONFA_FORWARDING, NETCONFA_RP_FILTER, NETCONFA_PROXY_NEIGH = 1, 2, 3, 5
# nfnetlink: a subsystem is the high byte of a message's type. IPCTNL_MSG_CT_GET, NFT_MSG_*.
NFNL_CONNTRACK, NFNL_NFTABLES = 1 << 8, 10 << 8
NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END = 16, 17
IPCTNL_MSG_CT_GET = NFNL_CONNTRACK | 1
NFT_MSG_NEWGEN, NFT_MSG_GETGEN, NFT_MSG_TRACE = NFNL_NFTABLES | 15, NFNL_NFTABLES | 16, NFNL_NFTABLES | 17
NFTA_GEN_ID, NFTA_GEN_PROC_NAME = 1, 3
NLA_F_NESTED, NLA_TYPE_MASK = 0x8000, 0x3FFF

MAX_DUMP_BYTES = 16 << 20
RETRIES = 5
"""How often a dump is repeated after a change interrupted it."""


class NetlinkError(OSError):
    """What the kernel refused: its errno, and the reason in words that it gave, if any."""

    def __str__(self) -> str:
        """The words alone."""
        return self.strerror or ""


def read_attributes(data: bytes) -> list[tuple[int, bytes]]:
    """[(type, value)] of a run of attributes, in order, without the flags of the type."""
    found, at = [], 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            break
        found.append((kind & NLA_TYPE_MASK, data[at + 4 : at + length]))
        at += (length + 3) & ~3
    return found


def first_attributes(data: bytes) -> dict[int, bytes]:
    """{type: value} of a run of attributes; of each type the first."""
    found: dict[int, bytes] = {}
    for kind, value in read_attributes(data):
        found.setdefault(kind, value)
    return found


def last_attributes(data: bytes) -> dict[int, bytes]:
    """{type: value} of a run of attributes; of each type the last."""
    return dict(read_attributes(data))


if TYPE_CHECKING:
    from typing import Any

    Value = bytes | int | list[tuple[int, Any]]
    """What `pack_attributes` takes; the nested ones are such pairs again."""


def pack_attributes(*pairs: tuple[int, Value]) -> bytes:
    """Attributes of (type, value): bytes as they are, a number as u32 of this machine, a list as nested attributes."""
    made = []
    for kind, value in pairs:
        if isinstance(value, list):
            data, flag = pack_attributes(*value), NLA_F_NESTED
        else:
            data, flag = struct.pack("=I", value) if isinstance(value, int) else value, 0
        made.append(struct.pack("=HH", len(data) + 4, kind | flag) + data + b"\0" * (-len(data) % 4))
    return b"".join(made)


def read_u32(data: bytes | None) -> int:
    """A number in this machine's byte order; 0 where there is none."""
    return int(struct.unpack("=I", data[:4])[0]) if data and len(data) >= 4 else 0


def read_u32be(data: bytes | None) -> int:
    """A number in network byte order, as nfnetlink has them; 0 where there is none."""
    return int(struct.unpack("!I", data[:4])[0]) if data and len(data) >= 4 else 0


def pack_u32be(value: int) -> bytes:
    """A number in network byte order."""
    return struct.pack("!I", value & 0xFFFFFFFF)


def read_string(data: bytes) -> str:
    """Text up to the first NUL."""
    return decode(data.split(b"\0")[0])


def pack_nfgenmsg(family: int, resource: int = 0) -> bytes:
    """Struct nfgenmsg: what each message of nfnetlink begins with. The resource is in network byte order."""
    return struct.pack("=BBH", family, 0, socket.htons(resource))


def pack_ifinfomsg(index: int, flags: int = 0, change: int = 0) -> bytes:
    """Struct ifinfomsg: what each message about a link begins with."""
    return struct.pack("=BxHiII", 0, 0, index, flags, change)


def read_messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """(type, flags, serial, payload) of each message in what was received at once."""
    at = 0
    while at + 16 <= len(data):
        length, kind, flags, serial, _ = struct.unpack_from("=IHHII", data, at)
        yield kind, flags, serial, data[at + 16 : at + length]
        at += max(16, (length + 3) & ~3)


def enlarge_buffer(sock: socket.socket, option: int, size: int) -> None:
    """SO_RCVBUFFORCE or SO_SNDBUFFORCE. Root of a user namespace gets less: socket(7), rmem_max and wmem_max."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, option, size)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, ORDINARY[option], size)


class Netlink:
    """One socket in the network namespace that this thread is in now. It stays there, whoever uses it later.

    `requires_whole`: a dump that changes go on cutting through is an error. Otherwise the last one is taken as it is.
    """

    def __init__(
        self, protocol: int = NETLINK_ROUTE, max_bytes: int = MAX_DUMP_BYTES, requires_whole: bool = False
    ) -> None:
        self.max_bytes, self.requires_whole = max_bytes, requires_whole
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        for option in (SO_RCVBUFFORCE, SO_SNDBUFFORCE):
            enlarge_buffer(self.sock, option, 8 << 20)
        for option in (NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK):
            self.sock.setsockopt(SOL_NETLINK, option, 1)
        self.sock.settimeout(5)
        self.serial = 0

    def make_message(self, kind: int, body: bytes, flags: int) -> bytes:
        """One message with the next serial number, which `self.serial` has then."""
        self.serial += 1
        return struct.pack("=IHHII", len(body) + 16, kind, NLM_F_REQUEST | flags, self.serial, 0) + body

    def receive_answers(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        """(flags, payload) of the answers to the messages with these serials. Raises NetlinkError at the first refusal.

        What is left of an earlier message's answer is passed over.
        """
        size = 0
        while True:
            data = self.sock.recv(1 << 18)
            size += len(data)
            if size > self.max_bytes:
                raise NetlinkError(errno.EFBIG, "the kernel has more than is read")
            for kind, flags, serial, payload in read_messages(data):
                if not first <= serial <= last:
                    continue
                if kind == NLMSG_ERROR or (kind == NLMSG_DONE and len(payload) >= 4):
                    raise_refused(payload)
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    if serial == last:
                        return
                    continue
                yield flags, payload

    def dump(self, kind: int, body: bytes) -> list[bytes]:
        """The payloads of all entries. A dump that a change interrupted is repeated, a few times."""
        for _ in range(RETRIES):
            self.sock.send(self.make_message(kind, body, NLM_F_DUMP))
            found = list(self.receive_answers(self.serial, self.serial))
            if not any(flags & NLM_F_DUMP_INTR for flags, _ in found):
                break
        else:
            if self.requires_whole:
                raise NetlinkError(errno.EAGAIN, "the lab host is being changed")
        return [payload for _, payload in found]

    def request(self, kind: int, body: bytes, flags: int = 0) -> list[bytes]:
        """Has one thing done, or asks for one: the payloads of the answer."""
        self.sock.send(self.make_message(kind, body, flags | NLM_F_ACK))
        return [payload for _, payload in self.receive_answers(self.serial, self.serial)]

    def send_batch(self, messages: list[tuple[int, int, bytes]]) -> None:
        """A transaction of nfnetlink: (type, flags, body) of each message. The kernel takes all or none of it."""
        border = pack_nfgenmsg(AF_UNSPEC, NFNL_NFTABLES >> 8)
        batch = [self.make_message(NFNL_MSG_BATCH_BEGIN, border, 0)]
        first = self.serial
        last = len(messages) - 1
        for number, (kind, flags, body) in enumerate(messages):
            batch.append(self.make_message(kind, body, flags | (NLM_F_ACK if number == last else 0)))
        serial = self.serial
        batch.append(self.make_message(NFNL_MSG_BATCH_END, border, 0))
        self.sock.send(b"".join(batch))
        for _ in self.receive_answers(first, serial):
            pass

    def close(self) -> None:
        """Closes the socket."""
        self.sock.close()


def raise_refused(payload: bytes) -> None:
    """Raises the error in an NLMSG_ERROR or NLMSG_DONE. Does nothing when it holds none."""
    code = -struct.unpack_from("=i", payload)[0]
    if code > 0:
        reason = read_string(last_attributes(payload[20:]).get(NLMSGERR_ATTR_MSG, b""))
        raise NetlinkError(code, os.strerror(code) + (f": {reason}" if reason else ""))


def open_events(protocol: int, groups: int, every_namespace: bool = False) -> socket.socket:
    """A socket that does not block, to which the kernel tells changes of this namespace.

    `every_namespace`: also of all others that this one has a number for. None of them is held by it.
    """
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
    if every_namespace:
        sock.setsockopt(SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1)
    sock.bind((0, groups))
    return sock
