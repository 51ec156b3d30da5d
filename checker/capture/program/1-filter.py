"""Says each packet that passes at some places, as it passes, until nobody reads it or the time is over.

P has {"at": [[space, device], ...], "filter": tcpdump's expression or "", "snap": bytes kept of a packet, "seconds": float or
null} as well; a space is "root" or a name of /run/netns. Every line is `NONCE ` and JSON: {"ready": true} first, or
{"trouble": "filter"|"place", ...} last; then [place, "SECONDS.NANOSECONDS", "in"|"out", length, matches, base64], and
{"end": [...]}.
"""
import base64, collections

# An empty capture of Ethernet frames, pcap-savefile(5): tcpdump compiles for it without opening a link.
NO_PACKETS = struct.pack("=IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
SO_ATTACH_FILTER = 26


def say(what):
    sys.stdout.buffer.write(b"%s %s\n" % (P["nonce"].encode(), json.dumps(what, separators=(",", ":")).encode()))


def compiled(filter):
    """The instructions of a filter, packed; tcpdump's words where it is none."""
    done = subprocess.run(["/usr/bin/tcpdump", "-ddd", "-r", "-", "--", filter], input=NO_PACKETS, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=ENV, cwd="/", timeout=10)
    lines = text(done.stdout).splitlines()[1:]
    if done.returncode or not lines:
        said = [line for line in text(done.stderr).splitlines() if line.startswith("tcpdump: ")]
        return None, (said[-1][9:] if said else "tcpdump does not know it")[:300]
    return b"".join(struct.pack("=HBBI", *map(int, line.split())) for line in lines[:4096]), None


def attach(sock, program):
    buffer = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, head)
