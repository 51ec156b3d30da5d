"""Runs argv on a new pseudo-terminal, for tests of what a user sees.

stdin:  one JSON object a line: {"send": TEXT}, {"size": [ROWS, COLUMNS]}, {"signal": NUMBER}
stdout: what the program writes to the terminal, as bytes
stderr: at the end {"code": exit code or -signal, "raw": was the terminal ever raw, "restored": is it as before}
"""

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios


def set_size(rows, columns):
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def obey(line):
    order = json.loads(line)
    if "send" in order:
        os.write(master, order["send"].encode())
    if "size" in order:
        set_size(*order["size"])
    if "signal" in order:
        child.send_signal(order["signal"])


def copy_output():
    data = os.read(master, 65536)
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


master, slave = pty.openpty()
set_size(31, 97)
before = termios.tcgetattr(slave)
child = subprocess.Popen(
    sys.argv[1:], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
    preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
)
watched = [master, sys.stdin.fileno()]
pending = b""
raw = False
while child.poll() is None:
    readable = select.select(watched, [], [], 0.02)[0]
    raw = raw or termios.tcgetattr(slave) != before
    if master in readable:
        copy_output()
    if sys.stdin.fileno() in readable:
        data = os.read(sys.stdin.fileno(), 65536)
        if not data:
            watched.remove(sys.stdin.fileno())
        *lines, pending = (pending + data).split(b"\n")
        for each in lines:
            obey(each)
while select.select([master], [], [], 0)[0]:
    copy_output()
restored = termios.tcgetattr(slave) == before
print(json.dumps({"code": child.returncode, "raw": raw, "restored": restored}), file=sys.stderr)
