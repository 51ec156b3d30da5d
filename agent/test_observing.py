"""What is read of a lab host and judged nowhere: overrides, mounts, counters, settings, batches of changes."""

import socket
import threading
import time
import unittest
from typing import Any
from unittest import mock

from agent import facts, watch
from agent.changes import describe_route_event
from agent.copy_nftables import change_forward_policy, describe_nftables, find_compat
from agent.experiments import SIGHT_KEYS, PacketLog
from agent.integrity import find_covering_mounts, find_overrides
from agent.legacy import find_moved_counters, set_forward_policy
from agent.netlink import AF_INET, RTM_DELLINK, RTM_NEWLINK, pack_attributes
from agent.nftables import CHAIN, RULE, TABLE, make_chain, make_comparison, make_expression, make_rule
from agent.settings import compare_settings
from agent.traffic import PatientClock


class Commands(unittest.TestCase):
    """The seat's own commands, read within bounds."""

    def read(self, script: str, seconds: float = 5, limit: int = 1000) -> dict[str, Any]:
        """What is kept of a shell script's output."""
        sources = facts.Sources(limit, seconds, None)
        source = facts.Source((["/bin/sh", "-c", script], ""), limit, seconds, sources.end)
        sources.collect({"root": {"script": source}})
        return source.result

    def test_output_and_exit_status(self) -> None:
        """Both streams and the code."""
        found = self.read("echo out; echo err >&2; exit 3")
        self.assertEqual(found, {"code": 3, "out": "out\n", "err": "err\n", "cut": False})

    def test_what_is_too_much_is_cut(self) -> None:
        """The command is ended, and nothing of it is kept."""
        found = self.read("head -c 5000 /dev/zero; exec sleep 60")
        self.assertEqual((found["code"], found["out"], found["cut"]), (-9, "", True))

    def test_what_is_too_slow_has_no_code(self) -> None:
        """Also when it has ended by itself while nobody read: something of its output is missing."""
        self.assertIsNone(self.read("echo begun; exec sleep 60", seconds=0.2)["code"])
        found = self.read("echo all of it", seconds=0)
        self.assertEqual((found["code"], found["out"]), (None, ""))
        self.assertIn("not read within 0 s", found["err"])


class Patience(unittest.TestCase):
    """The clock of the experiments."""

    def test_a_slow_machine_is_waited_for_and_judged(self) -> None:
        """What was granted counts as lost only far beyond what can be waited for; not being let run always does."""
        clock = PatientClock()
        clock.grant(0.8)
        self.assertLess(clock.now(), time.monotonic() - 7)
        self.assertLess(clock.count_lost(), clock.most_lost)
        clock.grant(4)
        self.assertGreaterEqual(clock.count_lost(), clock.most_lost)
        late = PatientClock()
        late.late = late.most_lost
        self.assertGreaterEqual(late.count_lost(), late.most_lost)
        self.assertGreaterEqual(late.now(), time.monotonic() - late.most_lost - 1)


class Packets(unittest.TestCase):
    """What the experiments see."""

    def test_packets_that_still_come_when_the_log_ends(self) -> None:
        """What is seen meanwhile breaks nothing."""
        log = PacketLog(mock.Mock(), [])
        log.seen = {(str(number),) * len(SIGHT_KEYS): 1 for number in range(200_000)}

        def see_more() -> None:
            for number in range(200_000):
                log.seen[(f"late {number}",) * len(SIGHT_KEYS)] = 1

        late = threading.Thread(target=see_more, daemon=True)
        late.start()
        log.start()
        self.assertGreaterEqual(len(log.finish()), 200_000)
        late.join()

    def test_a_machine_that_is_slow_to_read_what_came(self) -> None:
        """All of it is waited for; where that takes too long, something may be missing, and that is said."""
        for seconds, is_over in ((2.5, False), (0.6, True)):
            log = PacketLog(mock.Mock(), [])
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            log.socks[ours] = "world"
            log.drain_seconds = 8.0 if seconds > 1 else 0.3

            def read_slowly(sock: socket.socket, log: PacketLog = log, seconds: float = seconds) -> None:
                sock.recv(10)
                time.sleep(seconds)
                log.seen[("late",) * len(SIGHT_KEYS)] = 1

            with mock.patch.object(log, "_drain", read_slowly):
                theirs.send(b"a packet")
                log.start()
                time.sleep(0.1)
                self.assertEqual((len(log.finish()), log.over), (0 if is_over else 1, is_over))
                log.join()
            ours.close()
            theirs.close()


class Settings(unittest.TestCase):
    """A copy's settings beside the original's."""

    def test_what_differs_and_what_is_the_whole_machine_s(self) -> None:
        """Another value and a link's missing setting count; what a namespace of this kernel can't have does not."""
        wanted = {
            "net/ipv4/ip_forward": b"1",
            "net/ipv4/icmp_msgs_burst": b"50",
            "net/ipv6/conf/br0/forwarding": b"0",
        }
        self.assertEqual(
            compare_settings("root", wanted, {"net/ipv4/ip_forward": b"0"}),
            [
                "root: net/ipv4/ip_forward is b'0', not b'1'",
                "root: net/ipv6/conf/br0/forwarding is None, not b'0'",
            ],
        )
        self.assertEqual(compare_settings("root", wanted, wanted), [])


class Integrity(unittest.TestCase):
    """What is under the learner's commands."""

    def test_overrides_of_a_shell(self) -> None:
        """An alias to another program, a function, a preloaded library; options, comments and other names are none."""
        for script, expected in (
            ("alias ip=/tmp/ip", ["makes ip an alias"]),
            ("alias ip='ip -c'", []),
            ("# alias ip=/tmp/ip", []),
            ("alias ll='ls -l'", []),
            ("ip () { :; }", ["makes ip a function"]),
            ("function nft() { :; }", ["makes nft a function"]),
            ("export LD_PRELOAD=/tmp/x.so", ["sets LD_PRELOAD"]),
        ):
            self.assertEqual(list(find_overrides(script, ["ip", "nft", "ls"])), expected, script)

    def test_mounts_that_cover_something(self) -> None:
        """One over a program, a second one over /etc; the lab host's own are not told."""
        mounts = [
            ("/", "/", "overlay"),
            ("/etc", "/", "overlay"),
            ("/proc", "/", "proc"),
            ("/proc/sys/net", "/", "proc"),
            ("/run/handwired/sys", "/", "sysfs"),
            ("/usr/sbin/ip", "/tmp/ip", "ext4"),
            ("/etc", "/", "tmpfs"),
        ]
        with mock.patch("agent.integrity.list_mounts", return_value=mounts):
            found = find_covering_mounts(1)
        self.assertEqual([path for path, _ in found], ["/usr/sbin/ip", "/etc"])


class Legacy(unittest.TestCase):
    """What iptables-legacy prints."""

    saved = "*filter\n:FORWARD ACCEPT [{0}:0]\n[{1}:60] -A FORWARD -i br0 -j ACCEPT\nCOMMIT\n"

    def test_counters_that_moved(self) -> None:
        """A rule that counted more than before; a new one has nothing to compare with."""
        found = find_moved_counters(self.saved.format(4, 1), self.saved.format(4, 3))
        self.assertEqual(found, [{"table": "filter", "chain": "FORWARD", "rule": "-i br0 -j ACCEPT", "packets": 2}])
        self.assertEqual(find_moved_counters(None, self.saved.format(4, 3)), [])

    def test_the_policy_of_forward(self) -> None:
        """It is changed in the filter table alone."""
        texts = {"iptables-legacy": "*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n*mangle\n:FORWARD ACCEPT [0:0]\nCOMMIT\n"}
        changed = set_forward_policy(texts, "drop")["iptables-legacy"]
        self.assertIn("*filter\n:FORWARD DROP", changed)
        self.assertIn("*mangle\n:FORWARD ACCEPT", changed)
        self.assertEqual(set_forward_policy(texts, None), texts)


class Nftables(unittest.TestCase):
    """Rules as attributes."""

    def test_the_policy_of_forward(self) -> None:
        """A chain that is not there is made when it is to drop, with its table, and not otherwise."""
        self.assertEqual(change_forward_policy([], "accept"), [])
        made = change_forward_policy([], "drop")
        self.assertEqual([kind for kind, _, _ in made], [TABLE, CHAIN])
        self.assertEqual(change_forward_policy(made, "drop"), made)
        accepting = change_forward_policy(made, "accept")
        self.assertNotEqual(describe_nftables(accepting), describe_nftables(made))

    def test_the_protocol_of_a_rule_of_iptables(self) -> None:
        """It is what is compared after the protocol was loaded."""
        load = make_expression("meta", (2, 16), (1, 1))
        rule = dict(make_rule(b"filter\0", b"FORWARD\0", load, make_comparison(b"\x06")))
        self.assertEqual(find_compat(rule[4]), (6, False))
        other = dict(make_rule(b"filter\0", b"FORWARD\0", make_comparison(b"\x06")))
        self.assertIsNone(find_compat(other[4]))

    def test_what_counts_is_left_out(self) -> None:
        """Two rules that differ in a counter are the same."""
        rules = [
            (RULE, AF_INET, make_rule(b"t\0", b"c\0", make_expression("counter", (1, b"\0" * 7 + bytes([packets])))))
            for packets in (1, 2)
        ]
        self.assertEqual(describe_nftables(rules[:1]), describe_nftables(rules[1:]))
        self.assertNotEqual(
            describe_nftables([(CHAIN, AF_INET, make_chain(b"t\0", b"c\0", 0, 0))]), describe_nftables([])
        )


class Changes(unittest.TestCase):
    """Events as words."""

    def test_links(self) -> None:
        """A new link, one that is switched, one that went; a carrier alone is nothing."""
        name = pack_attributes((3, b"veth0\0"))

        def head(flags: int, change: int) -> bytes:
            return b"\0\0\0\0" + (5).to_bytes(4, "little") + flags.to_bytes(4, "little") + change.to_bytes(4, "little")

        devices: dict[int, str] = {}
        for kind, flags, change, words in (
            (RTM_NEWLINK, 0, 0xFFFFFFFF, "link veth0 came"),
            (RTM_NEWLINK, 1, 1, "link veth0 was switched on"),
            (RTM_NEWLINK, 1, 0, None),
            (RTM_DELLINK, 1, 0, "link veth0 went"),
        ):
            self.assertEqual(describe_route_event(kind, head(flags, change) + name, devices), words)
        self.assertEqual(devices, {5: "veth0"})

    def test_a_batch_ends_when_it_is_quiet_or_long(self) -> None:
        """Its end moves with each change, but not beyond the most."""
        with mock.patch("agent.watch.time.monotonic", side_effect=[10.0, 10.2, 13.0]):
            batch = watch.Batch(quiet=0.25, most=2)
            self.assertIsNone(batch.find_end())
            ends = []
            for subject in ("links", "links", "mounts"):
                batch.add(subject)
                ends.append(batch.find_end())
        self.assertEqual(ends, [10.25, 10.45, 12.0])
        self.assertEqual(batch.subjects, {"links", "mounts"})
