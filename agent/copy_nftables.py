"""Dumps nftables and makes it again, by attribute: the kernel's net/netfilter/nf_tables_api.c and nft_compat.c.

What the kernel numbers or counts by itself (handles, positions, uses) is left out. iptables-nft's own matches and
targets are opaque to us: the kernel takes them back as it gave them. What is not known here is a CopyError.
"""

from __future__ import annotations

from agent import netlink as nl
from agent.copy_links import CopyError, Netns
from agent.nftables import (
    CHAIN,
    ELEMENT,
    FLOWTABLE,
    IPPROTO_AT,
    NF_ACCEPT,
    NF_DROP,
    NF_INET_FORWARD,
    NFT_CHAIN_BINDING,
    NFT_CMP_NEQ,
    NFT_META_L4PROTO,
    NFT_OBJECT_COUNTER,
    NFT_OBJECT_QUOTA,
    NFT_PAYLOAD_NETWORK_HEADER,
    NFT_RULE_COMPAT_F_INV,
    NFT_SET_EVAL,
    NFT_SET_TIMEOUT,
    NFT_TABLE_F_DORMANT,
    NFTA_CHAIN_FLAGS,
    NFTA_CHAIN_HOOK,
    NFTA_CHAIN_NAME,
    NFTA_CHAIN_POLICY,
    NFTA_CMP_DATA,
    NFTA_CMP_OP,
    NFTA_DATA_VALUE,
    NFTA_EXPR_DATA,
    NFTA_EXPR_NAME,
    NFTA_META_KEY,
    NFTA_OBJ_DATA,
    NFTA_OBJ_TYPE,
    NFTA_PAYLOAD_BASE,
    NFTA_PAYLOAD_LEN,
    NFTA_PAYLOAD_OFFSET,
    NFTA_RULE_COMPAT,
    NFTA_RULE_COMPAT_FLAGS,
    NFTA_RULE_COMPAT_PROTO,
    NFTA_RULE_EXPRESSIONS,
    NFTA_SET_ELEM_LIST_ELEMENTS,
    NFTA_SET_ELEM_LIST_SET,
    NFTA_SET_ELEM_LIST_TABLE,
    NFTA_SET_FLAGS,
    NFTA_SET_ID,
    NFTA_SET_NAME,
    NFTA_SET_TABLE,
    NFTA_TABLE_FLAGS,
    NFTA_TABLE_NAME,
    OBJECT,
    RULE,
    SET,
    TABLE,
    make_chain,
    send_items,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from agent.nftables import Attributes, Item

ORDER = (TABLE, CHAIN, OBJECT, SET, ELEMENT, RULE)
"""In which they can be made."""

KEPT = {
    TABLE: {1, 2, 6},
    CHAIN: {1, 3, 4, 5, 7, 10, 12},
    RULE: {1, 2, 4, 7},
    SET: {*range(1, 10), 11, 12, 13, 15, 17, 18},
    ELEMENT: {1, 2, 3},
    OBJECT: {1, 2, 3, 4, 8},
}
LEFT_OUT = {
    TABLE: {3, 4, 5, 7},
    CHAIN: {2, 6, 8, 9, 11},
    RULE: {3, 5, 6, 8, 9},
    SET: {10, 14, 16, 19, 20},
    ELEMENT: {4},
    OBJECT: {5, 6, 7},
}
ELEMENT_PARTS = (1, 2, 3, 9, 10)
"""What of a set's element does not move by itself: NFTA_SET_ELEM_KEY, _DATA, _FLAGS, _OBJREF, _KEY_END."""


def sort_items(items: Iterable[Item]) -> list[Item]:
    """In the order in which they can be made."""
    return sorted(items, key=lambda item: ORDER.index(item[0]))


def dump_nftables(space: Netns) -> list[Item]:
    """All of a namespace, in the order in which it can be made. Raises CopyError."""
    found: list[Item] = []
    for kind in (TABLE, CHAIN, OBJECT, FLOWTABLE, SET, RULE):
        try:
            payloads = space.nft.dump(nl.NFNL_NFTABLES | kind + 1, nl.pack_nfgenmsg(nl.AF_UNSPEC))
        except nl.NetlinkError:
            if kind in (OBJECT, FLOWTABLE):
                continue  # a kernel without them
            raise
        for payload in payloads:
            require_known(kind, payload)
            item: Item = (kind, payload[0], [pair for pair in nl.read_attributes(payload[4:]) if pair[0] in KEPT[kind]])
            found.append(item)
            if kind == SET:
                found += dump_elements(space, item)
    return sort_items(found)


def require_known(kind: int, payload: bytes) -> None:
    """Raises CopyError for what can't be made again."""
    if kind == FLOWTABLE:
        raise CopyError("nft has a flowtable")
    for key, _ in nl.read_attributes(payload[4:]):
        if key not in KEPT[kind] and key not in LEFT_OUT[kind]:
            raise CopyError(f"nft says something that is not known here ({key} of {kind})")


def dump_elements(space: Netns, item: Item) -> list[Item]:
    """The elements of a set."""
    _, family, have = item
    table, name = dict(have)[NFTA_SET_TABLE], dict(have)[NFTA_SET_NAME]
    body = nl.pack_nfgenmsg(family) + nl.pack_attributes(
        (NFTA_SET_ELEM_LIST_TABLE, table), (NFTA_SET_ELEM_LIST_SET, name)
    )
    found: list[Item] = []
    for payload in space.nft.dump(nl.NFNL_NFTABLES | ELEMENT + 1, body):
        kept: Attributes = [pair for pair in nl.read_attributes(payload[4:]) if pair[0] in KEPT[ELEMENT]]
        if any(key == NFTA_SET_ELEM_LIST_ELEMENTS for key, _ in kept):
            found.append((ELEMENT, family, kept))
    return found


def find_compat(expressions: bytes) -> tuple[int, bool] | None:
    """(protocol, inverted) that a rule of iptables-nft names.

    Its matches and targets ask for that, and no dump shows it.
    """
    is_loaded = False
    for _, body in nl.read_attributes(expressions):
        have = nl.last_attributes(body)
        name = nl.read_string(have.get(NFTA_EXPR_NAME, b""))
        data = nl.last_attributes(have.get(NFTA_EXPR_DATA, b""))
        if name == "cmp" and is_loaded:
            value = nl.last_attributes(data.get(NFTA_CMP_DATA, b"")).get(NFTA_DATA_VALUE, b"\0")
            return value[0], nl.read_u32be(data.get(NFTA_CMP_OP)) == NFT_CMP_NEQ
        numbers = {key: nl.read_u32be(value) for key, value in data.items() if len(value) == 4}
        payload = tuple(numbers.get(key) for key in (NFTA_PAYLOAD_BASE, NFTA_PAYLOAD_OFFSET, NFTA_PAYLOAD_LEN))
        is_loaded = (name == "meta" and numbers.get(NFTA_META_KEY) == NFT_META_L4PROTO) or (
            name == "payload" and payload == (NFT_PAYLOAD_NETWORK_HEADER, IPPROTO_AT, 1)
        )
    return None


def change_forward_policy(items: list[Item], policy: str | None) -> list[Item]:
    """The same with another policy of iptables-nft's FORWARD: "accept", "drop", None for as it is.

    The chain is made if it is not there and is to drop.
    """
    if policy is None:
        return items
    number = nl.pack_u32be(NF_ACCEPT if policy == "accept" else NF_DROP)
    changed: list[Item] = []
    has_chain = has_table = False
    for kind, family, have in items:
        said = dict(have)
        is_filter = family == nl.AF_INET and nl.read_string(said[NFTA_TABLE_NAME]) == "filter"
        has_table |= is_filter and kind == TABLE
        is_base_chain = kind == CHAIN and is_filter and NFTA_CHAIN_HOOK in said
        if is_base_chain and nl.read_string(said[NFTA_CHAIN_NAME]) == "FORWARD":
            has_chain = True
            said[NFTA_CHAIN_POLICY] = number
        changed.append((kind, family, [(key, said[key]) for key, _ in have]))
    if policy == "accept" or has_chain:
        return changed
    table = b"filter\0"
    chain = [*make_chain(table, b"FORWARD\0", NF_INET_FORWARD, 0), (NFTA_CHAIN_POLICY, number)]
    made: list[Item] = [] if has_table else [(TABLE, nl.AF_INET, [(NFTA_TABLE_NAME, table)])]
    return sort_items([*made, *changed, (CHAIN, nl.AF_INET, chain)])


def make_nftables(items: Sequence[Item], space: Netns) -> None:
    """Makes all of it, in one transaction. Raises CopyError."""
    if not items:
        return
    told = [(kind, family, adapt_attributes(number, kind, have)) for number, (kind, family, have) in enumerate(items)]
    try:
        send_items(space.nft, told)
    except nl.NetlinkError as error:
        raise CopyError(f"the nftables of {space.name} can't be made: {error}") from error


def adapt_attributes(number: int, kind: int, have: Attributes) -> Attributes:
    """What was dumped as the kernel takes it. `number` tells sets of one transaction apart."""
    told: Attributes = []
    for key, value in have:
        data = value
        if (kind, key) == (TABLE, NFTA_TABLE_FLAGS):
            data = nl.pack_u32be(nl.read_u32be(value) & NFT_TABLE_F_DORMANT)
        elif (kind, key) == (CHAIN, NFTA_CHAIN_FLAGS):
            # A rule's own block comes back as a chain that it jumps to by name.
            data = nl.pack_u32be(nl.read_u32be(value) & ~NFT_CHAIN_BINDING)
        told.append((key, data))
    if kind == SET:
        told.append((NFTA_SET_ID, nl.pack_u32be(number + 1)))
    elif kind == RULE:
        expressions = dict(have).get(NFTA_RULE_EXPRESSIONS, b"")
        compat = find_compat(expressions) if isinstance(expressions, bytes) else None
        if compat:
            protocol, is_inverted = compat
            flags = NFT_RULE_COMPAT_F_INV if is_inverted else 0
            said = [(NFTA_RULE_COMPAT_PROTO, nl.pack_u32be(protocol)), (NFTA_RULE_COMPAT_FLAGS, nl.pack_u32be(flags))]
            told.append((NFTA_RULE_COMPAT, said))
    return told


def describe_nftables(items: Iterable[Item]) -> list[tuple[Any, ...]]:
    """In a form to compare: what counts or runs down is left out, an anonymous chain is any chain of its name."""
    moving_sets: set[tuple[Any, ...]] = set()
    found: list[tuple[Any, ...]] = []
    for kind, family, have in items:
        said = dict(have)
        if kind == SET and nl.read_u32be(said.get(NFTA_SET_FLAGS)) & (NFT_SET_TIMEOUT | NFT_SET_EVAL):
            moving_sets.add((family, said[NFTA_SET_TABLE], said[NFTA_SET_NAME]))
        if kind == ELEMENT:
            place = (family, said[NFTA_SET_ELEM_LIST_TABLE], said[NFTA_SET_ELEM_LIST_SET])
            if place not in moving_sets:
                elements = nl.read_attributes(said[NFTA_SET_ELEM_LIST_ELEMENTS])
                found += [(kind, *place, describe_element(element)) for _, element in elements]
            continue
        if kind == RULE:
            expressions = nl.read_attributes(said.get(NFTA_RULE_EXPRESSIONS, b""))
            said[NFTA_RULE_EXPRESSIONS] = tuple(describe_expression(body) for _, body in expressions)
        elif kind == OBJECT and nl.read_u32be(said.get(NFTA_OBJ_TYPE)) in (NFT_OBJECT_COUNTER, NFT_OBJECT_QUOTA):
            said[NFTA_OBJ_DATA] = b""
        elif kind == TABLE:
            said[NFTA_TABLE_FLAGS] = nl.read_u32be(said.get(NFTA_TABLE_FLAGS)) & NFT_TABLE_F_DORMANT
        elif kind == CHAIN:
            said[NFTA_CHAIN_FLAGS] = nl.read_u32be(said.get(NFTA_CHAIN_FLAGS)) & ~NFT_CHAIN_BINDING
        found.append((kind, family, *sorted(said.items())))
    rules = [item for item in found if item[0] == RULE]
    return sorted((item for item in found if item[0] != RULE), key=repr) + rules


def describe_expression(body: bytes) -> tuple[Any, ...]:
    """One expression without what it counts."""
    have = nl.last_attributes(body)
    name, data = nl.read_string(have.get(NFTA_EXPR_NAME, b"")), have.get(NFTA_EXPR_DATA, b"")
    if name in ("counter", "last"):
        return (name,)
    if name == "quota":  # NFTA_QUOTA_BYTES, NFTA_QUOTA_FLAGS
        return name, tuple(pair for pair in nl.read_attributes(data) if pair[0] in (1, 2))
    return name, data


def describe_element(element: bytes) -> tuple[tuple[int, bytes], ...]:
    """One element without what counts or runs down."""
    return tuple(pair for pair in nl.read_attributes(element) if pair[0] in ELEMENT_PARTS)
