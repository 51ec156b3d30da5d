"""Kernel settings of the network namespace that this thread is in: /proc/sys/net shows the reader's own."""

from __future__ import annotations

import os
import re

from agent.system import list_folder, read_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

PROC_SYS = "/proc/sys/"
SETTING_FOLDERS = ("net/ipv4", "net/ipv4/conf", "net/ipv6/conf", "net/bridge", "net/netfilter")
OBSERVED_SETTINGS = re.compile(
    r"net/(ipv4/(ip_forward|ip_nonlocal_bind|ip_default_ttl|icmp_echo_ignore_all|ping_group_range|conf/[^/]+/"
    r"(forwarding|route_localnet|proxy_arp|rp_filter|accept_local|arp_ignore))"
    r"|ipv6/conf/[^/]+/(forwarding|disable_ipv6|proxy_ndp)|bridge/bridge-nf-call-\w+|netfilter/nf_conntrack_max)$"
)
"""The settings that facts have."""

COPIED_IPV4 = re.compile(r"(ip_|icmp_|fwmark_|fib_multipath|ping_group|tcp_(fwmark|l3mdev)|udp_l3mdev|raw_l3mdev)")
COPIED_CONNTRACK = re.compile(
    r"nf_conntrack_(tcp_be_liberal|tcp_loose|checksum|helper|udp_timeout|tcp_timeout_established)$"
)
COPIED_IPV6 = ("forwarding", "disable_ipv6", "proxy_ndp", "accept_ra")


def read_settings(devices: Collection[str] | None = None) -> dict[str, str]:
    """{path below /proc/sys: value} of what facts have; `devices`: of conf/ only the folders of these names."""
    found = {}
    for base in SETTING_FOLDERS:
        deep = base.endswith("conf")
        for first in sorted(list_folder(PROC_SYS + base))[:300]:
            if deep and devices is not None and first not in devices:
                continue
            inner = [f"{first}/{key}" for key in list_folder(f"{PROC_SYS}{base}/{first}")] if deep else [first]
            for path in (f"{base}/{rest}" for rest in inner):
                if OBSERVED_SETTINGS.match(path):
                    found[path] = read_word(PROC_SYS + path, 200)
    return found


def read_setting(path: str) -> bytes | None:
    """One setting as it is written, without the line's end; None where there is none."""
    try:
        fd = os.open(PROC_SYS + path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return os.read(fd, 256).strip()
    except OSError:
        return None
    finally:
        os.close(fd)


def list_copied_settings(link_names: Iterable[str]) -> list[str]:
    """The settings that a copy of this namespace needs, in the order in which they are to be written.

    ip_forward comes first: it sets others. A link's own IPv4 settings are not here: netlink says and takes them.
    """
    paths = ["net/ipv4/ip_forward"]
    plain = (name for name in sorted(list_folder(PROC_SYS + "net/ipv4")) if COPIED_IPV4.match(name))
    paths += ["net/ipv4/" + name for name in plain if name != "ip_forward"]
    for which in ("all", "default"):
        base = f"net/ipv4/conf/{which}/"
        paths += [base + name for name in sorted(list_folder(PROC_SYS + base)) if name != "mc_forwarding"]
    for which in ("all", "default", *link_names):
        paths += [f"net/ipv6/conf/{which}/{name}" for name in COPIED_IPV6]
    paths += ["net/bridge/" + name for name in sorted(list_folder(PROC_SYS + "net/bridge"))]
    tracked = sorted(list_folder(PROC_SYS + "net/netfilter"))
    return paths + ["net/netfilter/" + name for name in tracked if COPIED_CONNTRACK.match(name)]


def read_copied_settings(link_names: Iterable[str]) -> dict[str, bytes]:
    """{path: value} of those that are there."""
    found = ((path, read_setting(path)) for path in list_copied_settings(link_names))
    return {path: value for path, value in found if value is not None}


def write_setting(path: str, value: bytes) -> None:
    """Writes one setting; one that can't be written shows where it is read again."""
    try:
        with open(PROC_SYS + path, "wb", buffering=0) as file:
            file.write(value)
    except OSError:
        pass


def write_settings(wanted: Mapping[str, bytes], is_due: Callable[[str], bool]) -> None:
    """Writes those of the settings whose path is due and whose value differs."""
    for path, value in wanted.items():
        if is_due(path) and read_setting(path) != value:
            write_setting(path, value)


def compare_settings(name: str, wanted: Mapping[str, bytes], have: Mapping[str, bytes]) -> list[str]:
    """Where a copy's settings are not the original's, in words.

    A setting of net/ipv4 that the copy lacks is the whole machine's: only the machine's first namespace shows such
    ones, and they hold in the copy too. Which these are depends on the kernel (icmp_msgs_burst, before Linux 6.12).
    """
    return [
        f"{name}: {path} is {have.get(path)!r}, not {value!r}"
        for path, value in wanted.items()
        if have.get(path) != value and not (path not in have and path.startswith("net/ipv4/"))
    ]
