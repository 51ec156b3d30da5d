"""Packets and messages: made, read, and told apart."""

import struct
import unittest
from typing import Any

from agent.copy_world import answer_dns, answer_dns_stream, answer_http
from agent.packets import checksum, describe_arp, find_client_random, make_dns_query, make_echo
from agent.trace import Errand
from agent.traffic import read_dns_answers

NUMBERS: Any = {"site": {"name": "example.com", "address": "93.184.216.34"}}


class Dns(unittest.TestCase):
    """Queries, and the answers of the copy's world."""

    def test_the_worlds_answer_is_understood(self) -> None:
        """A name under the site's has its address; others are not there."""
        query = make_dns_query(b"ab", "hw1.example.com")
        reply = answer_dns(query, NUMBERS)
        assert reply
        self.assertEqual(read_dns_answers(reply, b"ab", "hw1.example.com"), ["93.184.216.34"])
        other = answer_dns(make_dns_query(b"ab", "example.org"), NUMBERS)
        assert other
        self.assertEqual(other[3] & 15, 3)
        with self.assertRaisesRegex(OSError, "not found"):
            read_dns_answers(other, b"ab", "example.org")

    def test_another_questions_answer_is_none(self) -> None:
        """The identifier has to be the query's; a cut reply is no answer."""
        reply = answer_dns(make_dns_query(b"ab", "example.com"), NUMBERS) or b""
        for wrong in (b"cd" + reply[2:], reply[:5]):
            with self.assertRaises(OSError):
                read_dns_answers(wrong, b"ab", "example.com")

    def test_over_tcp_a_query_comes_behind_its_length(self) -> None:
        """There is no answer before all of it is there."""
        query = make_dns_query(b"ab", "example.com")
        whole = struct.pack("!H", len(query)) + query
        for length in range(len(whole)):
            self.assertIsNone(answer_dns_stream(whole[:length], NUMBERS))
        self.assertEqual((answer_dns_stream(whole, NUMBERS) or b"")[2:4], b"ab")

    def test_what_is_no_query_is_not_answered(self) -> None:
        """Answers and noise."""
        self.assertIsNone(answer_dns(b"", NUMBERS))
        self.assertIsNone(answer_dns(b"ab\x80" + b"\0" * 20, NUMBERS))


class Http(unittest.TestCase):
    """The copy's site."""

    def test_a_whole_request_is_answered(self) -> None:
        """With its first line."""
        self.assertIsNone(answer_http(b"GET / HTTP/1.1\r\n"))
        self.assertIn(b"GET /token", answer_http(b"GET /token HTTP/1.1\r\n\r\n") or b"")


class Frames(unittest.TestCase):
    """Single packets."""

    def test_an_echo_has_a_right_checksum(self) -> None:
        """RFC 1071: the checksum of all of it is 0."""
        self.assertEqual(checksum(make_echo(b"ab", 1, b"x" * 32)), 0)

    def test_arp(self) -> None:
        """Requests and answers; what is short or another operation is none."""
        frame = struct.pack(
            "!HHBBH6s4s6s4s", 1, 0x800, 6, 4, 1, b"m" * 6, bytes([10, 0, 0, 1]), b"\0" * 6, bytes([10, 0, 0, 2])
        )
        found = describe_arp(frame)
        assert found
        self.assertEqual((found["what"], found["source"], found["target"]), ("who-has", "10.0.0.1", "10.0.0.2"))
        self.assertIsNone(describe_arp(frame[:27]))
        self.assertIsNone(describe_arp(frame[:7] + b"\7" + frame[8:]))

    def test_a_client_hello_has_a_random(self) -> None:
        """Other records have none."""
        hello = b"\x16\x03\x01\0\xff\x01\0\0\xfb\x03\x03" + b"r" * 32 + b"rest"
        self.assertEqual(find_client_random(hello), b"r" * 32)
        self.assertIsNone(find_client_random(b"\x17" + hello[1:]))


class Tracing(unittest.TestCase):
    """The one packet that is traced."""

    def test_a_packet_is_known_by_its_bytes(self) -> None:
        """A SYN by its number, the answer by the number after it; another is not ours."""
        parameters = {
            "kind": "tcp",
            "from": None,
            "to": "10.0.0.2",
            "port": 80,
            "site": "example.com",
            "label": "hw" * 10,
        }
        errand = Errand(parameters)
        network = b"\x45" + b"\0" * 8 + bytes([6, 0, 0]) + bytes([10, 0, 0, 1, 10, 0, 0, 2])

        def segment(number: int, acknowledged: int, flags: int) -> bytes:
            return network + struct.pack("!HHIIBBHHH", 40000, 80, number, acknowledged, 0x50, flags, 0, 0, 0)

        syn, answer = segment(errand.sequence, 0, 2), segment(5, errand.sequence + 1, 18)
        self.assertEqual([errand.is_ours(packet) for packet in (syn, answer, segment(5, 6, 2))], [True, True, False])
        words = [(errand.describe(packet[:20], packet[20:]) or {})["what"] for packet in (syn, answer)]
        self.assertEqual(words, ["syn", "syn-ack"])
