"""nftables told what to make: expressions, chains, rules, and a transaction of them. nf_tables.h, nf_tables_api.c."""

from __future__ import annotations

from agent import netlink as nl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Attributes = list[tuple[int, Any]]
    Item = tuple[int, int, Attributes]
    """(kind, family, attributes). A kind is the number of the message that makes one: NFT_MSG_NEW*."""

TABLE, CHAIN, RULE, SET, ELEMENT, OBJECT, FLOWTABLE = 0, 3, 6, 9, 12, 18, 22
# include/uapi/linux/netfilter/nf_tables.h
NFTA_LIST_ELEM, NFTA_EXPR_NAME, NFTA_EXPR_DATA = 1, 1, 2
NFTA_TABLE_NAME, NFTA_TABLE_FLAGS = 1, 2
NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, NFTA_CHAIN_HOOK, NFTA_CHAIN_POLICY, NFTA_CHAIN_TYPE, NFTA_CHAIN_FLAGS = (
    1,
    3,
    4,
    5,
    7,
    10,
)
NFTA_HOOK_HOOKNUM, NFTA_HOOK_PRIORITY = 1, 2
NFTA_RULE_TABLE, NFTA_RULE_CHAIN, NFTA_RULE_EXPRESSIONS, NFTA_RULE_COMPAT = 1, 2, 4, 5
NFTA_RULE_COMPAT_PROTO, NFTA_RULE_COMPAT_FLAGS, NFT_RULE_COMPAT_F_INV = 1, 2, 2
NFTA_SET_TABLE, NFTA_SET_NAME, NFTA_SET_FLAGS, NFTA_SET_DESC, NFTA_SET_ID = 1, 2, 3, 9, 10
NFTA_SET_EXPR, NFTA_SET_EXPRESSIONS = 17, 18
NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_ELEM_LIST_SET, NFTA_SET_ELEM_LIST_ELEMENTS = 1, 2, 3
NFTA_OBJ_TYPE, NFTA_OBJ_DATA, NFT_OBJECT_COUNTER, NFT_OBJECT_QUOTA = 3, 4, 1, 2
NFT_TABLE_F_DORMANT, NFT_CHAIN_BINDING, NFT_SET_TIMEOUT, NFT_SET_EVAL = 1, 4, 16, 32
NFTA_DATA_VALUE, NFTA_DATA_VERDICT, NFTA_VERDICT_CODE, NF_DROP, NF_ACCEPT = 1, 2, 1, 0, 1
NFT_REG_VERDICT, NFT_REG_1 = 0, 1
NFTA_META_DREG, NFTA_META_KEY, NFTA_META_SREG = 1, 2, 3
NFT_META_IIFNAME, NFT_META_NFTRACE, NFT_META_L4PROTO = 6, 12, 16
NFTA_CMP_SREG, NFTA_CMP_OP, NFTA_CMP_DATA, NFT_CMP_EQ, NFT_CMP_NEQ = 1, 2, 3, 0, 1
NFTA_PAYLOAD_DREG, NFTA_PAYLOAD_BASE, NFTA_PAYLOAD_OFFSET, NFTA_PAYLOAD_LEN = 1, 2, 3, 4
NFT_PAYLOAD_NETWORK_HEADER, NFT_PAYLOAD_TRANSPORT_HEADER = 1, 2
NFTA_IMMEDIATE_DREG, NFTA_IMMEDIATE_DATA = 1, 2
IPPROTO_AT = 9  # of the protocol in an IPv4 header
NF_INET_PRE_ROUTING, NF_INET_FORWARD, NF_INET_LOCAL_OUT = 0, 2, 3

NESTED = {
    (CHAIN, NFTA_CHAIN_HOOK),
    (RULE, NFTA_RULE_EXPRESSIONS),
    (SET, NFTA_SET_DESC),
    (SET, NFTA_SET_EXPR),
    (SET, NFTA_SET_EXPRESSIONS),
    (ELEMENT, NFTA_SET_ELEM_LIST_ELEMENTS),
    (OBJECT, NFTA_OBJ_DATA),
}


def make_expression(name: str, *data: tuple[int, Any]) -> tuple[int, Any]:
    """One expression of a rule. Numbers are in network byte order."""
    packed = [(key, nl.pack_u32be(value) if isinstance(value, int) else value) for key, value in data]
    return NFTA_LIST_ELEM, [(NFTA_EXPR_NAME, name.encode() + b"\0"), (NFTA_EXPR_DATA, packed)]


def make_comparison(value: bytes, operator: int = NFT_CMP_EQ) -> tuple[int, Any]:
    """The expression that register 1 is this value."""
    data = [(NFTA_DATA_VALUE, value)]
    return make_expression("cmp", (NFTA_CMP_SREG, NFT_REG_1), (NFTA_CMP_OP, operator), (NFTA_CMP_DATA, data))


def make_chain(table: bytes, name: bytes, hook: int, priority: int) -> Attributes:
    """A base chain of type filter. Names end with NUL."""
    place = nl.pack_attributes((NFTA_HOOK_HOOKNUM, nl.pack_u32be(hook)), (NFTA_HOOK_PRIORITY, nl.pack_u32be(priority)))
    return [
        (NFTA_CHAIN_TABLE, table),
        (NFTA_CHAIN_NAME, name),
        (NFTA_CHAIN_HOOK, place),
        (NFTA_CHAIN_TYPE, b"filter\0"),
    ]


def make_rule(table: bytes, chain: bytes, *expressions: tuple[int, Any]) -> Attributes:
    """A rule of a chain."""
    return [
        (NFTA_RULE_TABLE, table),
        (NFTA_RULE_CHAIN, chain),
        (NFTA_RULE_EXPRESSIONS, nl.pack_attributes(*expressions)),
    ]


def send_items(link: nl.Netlink, items: Sequence[Item]) -> None:
    """Makes all of it in one transaction. Raises NetlinkError."""
    messages = []
    for kind, family, attributes in items:
        flags = nl.NLM_F_CREATE | (nl.NLM_F_APPEND if kind == RULE else 0)
        marked = [(key | (nl.NLA_F_NESTED if (kind, key) in NESTED else 0), value) for key, value in attributes]
        messages.append((nl.NFNL_NFTABLES | kind, flags, nl.pack_nfgenmsg(family) + nl.pack_attributes(*marked)))
    link.send_batch(messages)
