"""iptables-legacy in the network namespace that this thread is in.

It is asked only where one of its tables was ever used: its tools would load the module that registers a table.
"""

from __future__ import annotations

import re
import socket
import struct
import subprocess

from agent.system import COMMAND_ENV, decode, get_socket_option, read_file, read_text, run_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

TOOLS = {"ip": "iptables-legacy", "ip6": "ip6tables-legacy"}
"""The tool of each family, as /proc/net/FAMILY_tables_names has it."""

TOOL_ENV = {**COMMAND_ENV, "XTABLES_LOCKFILE": "/dev/null"}
MOST_SAVED_BYTES, TOOL_SECONDS = 1 << 20, 10
MOST_MOVED = 100

# include/uapi/linux/netfilter_ipv4/ip_tables.h, ip6_tables.h, netfilter/x_tables.h
SO_GET_INFO, SO_GET_ENTRIES = 64, 65
INFO_BYTES, NAME_BYTES, ENTRIES_AT = 84, 32, 40
SHORTEST_ENTRY = 112


class Family:
    """Where things are in struct ipt_entry or ip6t_entry."""

    def __init__(self, domain: int, level: int, prefix: str, next_at: int, counters_at: int) -> None:
        self.domain, self.level, self.prefix = domain, level, prefix
        self.next_at, self.counters_at = next_at, counters_at


FAMILIES = (Family(socket.AF_INET, socket.SOL_IP, "ip", 90, 96), Family(socket.AF_INET6, 41, "ip6", 142, 152))


class LegacyError(Exception):
    """What a tool of iptables-legacy says it can't do."""


def has_tables(prefix: str) -> bool:
    """Whether a table of a family, `ip` or `ip6`, was ever used here."""
    return bool(read_file(names_file(prefix)))


def names_file(prefix: str) -> str:
    """The file that lists a family's tables."""
    return f"/proc/thread-self/net/{prefix}_tables_names"


def read_entries() -> Iterator[list[Any]]:
    """[family, table, hooks and policies' places, entries] of each table, without counters. Raises OSError."""
    for family in FAMILIES:
        for name in (read_text(names_file(family.prefix)) or "").split():
            with socket.socket(family.domain, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
                info = get_socket_option(sock, family.level, SO_GET_INFO, name.encode().ljust(INFO_BYTES, b"\0"))
                size = struct.unpack_from("=I", info, 80)[0]
                request = name.encode().ljust(NAME_BYTES, b"\0") + struct.pack("=II", size, 0) + b"\0" * size
                entries = bytearray(get_socket_option(sock, family.level, SO_GET_ENTRIES, request)[ENTRIES_AT:])
            at = 0
            while at + family.counters_at + 16 <= len(entries):
                entries[at + family.counters_at : at + family.counters_at + 16] = b"\0" * 16
                step = struct.unpack_from("=H", entries, at + family.next_at)[0]
                if step < SHORTEST_ENTRY:
                    break
                at += step
            yield [int(family.domain), name, info[NAME_BYTES:INFO_BYTES], bytes(entries)]


def save_tables() -> dict[str, str]:
    """{tool: text} of iptables-legacy-save(8), without counters and comments. Raises LegacyError."""
    found = {}
    for prefix, tool in TOOLS.items():
        if has_tables(prefix):
            saved = decode(run_tool([tool + "-save"], b""))
            # Tables come in the order in which they were first used.
            tables = sorted(split_tables(saved))
            lines = [
                re.sub(r" \[\d+:\d+\]$", " [0:0]", line)
                for table in tables
                for line in table.splitlines()
                if not line.startswith("#")
            ]
            found[tool] = "\n".join(lines) + "\n"
    return found


def split_tables(saved: str) -> list[str]:
    """The parts of what iptables-save prints, one for each table."""
    return re.split(r"(?m)^(?=\*)", saved)


def set_forward_policy(texts: Mapping[str, str], policy: str | None) -> dict[str, str]:
    """The same with another policy of iptables-legacy's FORWARD: "accept", "drop", None for as it is."""
    if policy is None or "iptables-legacy" not in texts:
        return dict(texts)
    changed = [
        re.sub(r"(?m)^:FORWARD \w+", ":FORWARD " + policy.upper(), table) if table.startswith("*filter") else table
        for table in split_tables(texts["iptables-legacy"])
    ]
    return {**texts, "iptables-legacy": "".join(changed)}


def restore_tables(texts: Mapping[str, str]) -> None:
    """Makes tables as `save_tables` gave them. Raises LegacyError."""
    for tool, text in texts.items():
        run_tool([tool + "-restore", "-w", "5"], text.encode())


def run_tool(argv: list[str], given: bytes) -> bytes:
    """What one of the tools prints. Raises LegacyError."""
    done = subprocess.run(
        ["/usr/sbin/" + argv[0], *argv[1:]],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=TOOL_ENV,
        cwd="/",
        timeout=TOOL_SECONDS,
    )
    if done.returncode or len(done.stdout) > MOST_SAVED_BYTES:
        raise LegacyError(f"{argv[0]}: {decode(done.stderr).strip()[:150]}")
    return done.stdout


def save_counters() -> str | None:
    """The IPv4 rules with their counters; None where there are no tables."""
    return run_program(["/usr/sbin/iptables-legacy-save", "-c"]) if has_tables("ip") else None


def read_counters(saved: str | None) -> Iterator[tuple[tuple[str, str, str], int]]:
    """((table, chain, rule or `policy NAME`), packets) of what iptables-save -c printed."""
    table = ""
    for line in (saved or "").splitlines():
        if line.startswith("*"):
            table = line[1:]
        rule = re.match(r"\[(\d+):\d+\] -A (\S+) ?(.*)$", line)
        policy = re.match(r":(\S+) (\S+) \[(\d+):\d+\]$", line)
        if rule:
            yield (table, rule[2], rule[3]), int(rule[1])
        elif policy:
            yield (table, policy[1], "policy " + policy[2]), int(policy[3])


def find_moved_counters(before: str | None, after: str | None) -> list[dict[str, Any]]:
    """The rules and policies whose counters went up: it is all that iptables-legacy says of a packet."""
    counts = dict(read_counters(before))
    found: list[dict[str, Any]] = []
    for (table, chain, rule), packets in read_counters(after):
        more = packets - counts.get((table, chain, rule), packets)
        if more > 0 and len(found) < MOST_MOVED:
            found.append({"table": table[:100], "chain": chain[:100], "rule": rule[:400], "packets": more})
    return found
