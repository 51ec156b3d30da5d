"""Netlink messages: read, packed, and asked of the kernel."""

import os
import socket
import struct
import unittest

from agent import copy_routing, experiments, fingerprint, namespaces
from agent import netlink as nl
from agent.copy_links import Netns, read_links, require_copyable
from agent.copy_nftables import dump_nftables
from agent.sockets import describe_listeners
from agent.system import CLONE_NEWNET, unshare


class Attributes(unittest.TestCase):
    """Runs of attributes."""

    def test_what_is_packed_is_read_again(self) -> None:
        """Bytes, numbers and nested attributes come back, whatever their padding."""
        packed = nl.pack_attributes((1, b"abc"), (2, 7), (3, [(4, b"x"), (5, 9)]))
        self.assertEqual(len(packed) % 4, 0)
        found = nl.first_attributes(packed)
        self.assertEqual((found[1], nl.read_u32(found[2])), (b"abc", 7))
        self.assertEqual(nl.first_attributes(found[3]), {4: b"x", 5: struct.pack("=I", 9)})

    def test_a_cut_run_ends_where_it_is_cut(self) -> None:
        """An attribute with an impossible length ends the run, and nothing is raised."""
        packed = nl.pack_attributes((1, b"abcd"), (2, b"efgh"))
        for length in range(len(packed)):
            nl.read_attributes(packed[:length])
        self.assertEqual(nl.read_attributes(struct.pack("=HH", 2, 1)), [])

    def test_first_and_last(self) -> None:
        """Of two attributes of a type one is taken, which is told by the function's name."""
        packed = nl.pack_attributes((1, b"a"), (1, b"b"))
        self.assertEqual((nl.first_attributes(packed), nl.last_attributes(packed)), ({1: b"a"}, {1: b"b"}))

    def test_numbers(self) -> None:
        """What is missing or short is 0."""
        self.assertEqual((nl.read_u32(None), nl.read_u32(b"\1"), nl.read_u32be(b"\0\0\0\5")), (0, 0, 5))
        self.assertEqual(nl.pack_u32be(-1 << 31), b"\x80\0\0\0")


class Messages(unittest.TestCase):
    """What comes from the kernel."""

    def test_messages_are_taken_apart(self) -> None:
        """A message with an impossible length does not keep the reader for ever."""
        one = struct.pack("=IHHII", 20, 16, 0, 3, 0) + b"body"
        self.assertEqual(list(nl.read_messages(one + one)), [(16, 0, 3, b"body")] * 2)
        self.assertEqual(len(list(nl.read_messages(struct.pack("=IHHII", 0, 16, 0, 3, 0) * 2))), 2)

    def test_a_refusal_has_the_kernels_words(self) -> None:
        """NLMSGERR_ATTR_MSG is added to the errno's text."""
        body = struct.pack("=i16x", -17) + nl.pack_attributes((nl.NLMSGERR_ATTR_MSG, b"such a one is there\0"))
        with self.assertRaises(nl.NetlinkError) as raised:
            nl.raise_refused(body)
        self.assertEqual(str(raised.exception), "File exists: such a one is there")
        nl.raise_refused(struct.pack("=i16x", 0))


class Kernel(unittest.TestCase):
    """The kernel itself, in a network namespace of the test's own."""

    def setUp(self) -> None:
        """Moves into a new namespace with its loopback up; skips where that is not allowed."""
        try:
            unshare(CLONE_NEWNET)
        except PermissionError:
            self.skipTest("needs CAP_SYS_ADMIN, which the seat's root has")
        self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.link = nl.Netlink()
        self.link.request(nl.RTM_NEWLINK, nl.pack_ifinfomsg(1, nl.IFF_UP, nl.IFF_UP))

    def tearDown(self) -> None:
        """Goes back. The namespace ends with its file descriptors."""
        self.link.close()
        os.close(self.fd)
        namespaces.enter_netns(namespaces.ROOT_NETNS)

    def test_a_dump_has_all_links(self) -> None:
        """The same as the C library says."""
        answers = self.link.dump(nl.RTM_GETLINK, nl.pack_ifinfomsg(0))
        names = {nl.read_string(nl.first_attributes(answer[16:])[nl.IFLA_IFNAME]) for answer in answers}
        self.assertEqual(names, {name for _, name in socket.if_nameindex()})

    def test_a_refused_request_leaves_the_socket_usable(self) -> None:
        """An error of one request is not taken for the answer to the next."""
        for _ in range(2):
            with self.assertRaises(nl.NetlinkError):
                self.link.request(nl.RTM_GETLINK, nl.pack_ifinfomsg(1 << 30))
        self.assertEqual(len(self.link.request(nl.RTM_GETLINK, nl.pack_ifinfomsg(1))), 1)

    def test_more_than_is_read_is_an_error(self) -> None:
        """The limit holds for what the kernel sends at once."""
        self.link.max_bytes = 10
        with self.assertRaisesRegex(nl.NetlinkError, "more than is read"):
            self.link.dump(nl.RTM_GETLINK, nl.pack_ifinfomsg(0))

    def test_every_question_is_one_that_the_kernel_takes(self) -> None:
        """The kernel checks each header strictly: what it refuses would be missing without a word."""
        parts = fingerprint.read_parts()
        self.assertEqual(len(parts["links"]), len(socket.if_nameindex()))
        self.assertTrue(parts["addresses"] and parts["rules"] and parts["routes"])
        self.assertEqual(describe_listeners(), [])
        self.assertEqual(namespaces.list_nsids({}), [])
        self.assertFalse(experiments.is_neighbour_asked({"root": self.fd}))
        self.assertEqual(experiments.list_tracked_ports({"root": self.fd}), set())

    def test_every_question_of_a_copy_is_taken_too(self) -> None:
        """Everything that a copy is made from is dumped."""
        space = Netns("root", self.fd)
        links = read_links(space)
        self.assertEqual(links[1].name, "lo")
        require_copyable(space, links)
        for kind in copy_routing.KINDS:
            self.assertIsInstance(kind.dump(space), list)
        self.assertEqual(dump_nftables(space), [])
        space.route.close()
        space.nft.close()
