"""What a learner hands in: answers and captures, as the learner sees them; and the world's knocks. Called in the view."""
import base64

ANSWERS, CAPTURES = "/root/answers", "/root/captures"
MOST_ANSWERS, MOST_CAPTURES = 16, 8
ANSWER_BYTES, CAPTURE_BYTES = 8 << 10, 256 << 10
WORLD_LOG, LOG_TAIL = "/run/handwired/world.log", 256 << 10


def under(folder, ends):
    """Paths of plain files with such a name; no folder of that name, or too many names in it: none, or the first."""
    return [os.path.join(folder, name) for name in sorted(listing(folder)[:1000]) if name.endswith(ends) and len(name) < 200]


def capture_of(path):
    """The beginning of one capture file, and how long it is. Without data: it could not be read."""
    data = read(path, CAPTURE_BYTES + 1)
    return {"path": path, "cut": data is not None and len(data) > CAPTURE_BYTES,
            "data": None if data is None else base64.b64encode(data[:CAPTURE_BYTES]).decode()}


def work(fds):
    return {"answers": [{"path": path, "text": text(read(path, ANSWER_BYTES))} for path in under(ANSWERS, ".txt")[:MOST_ANSWERS]],
            "captures": [capture_of(path) for path in under(CAPTURES, (".pcap", ".pcapng", ".cap"))[:MOST_CAPTURES]]}


def knocks(fds):
    """The latest lines of the world's log that tell of a knock; None: there is no log."""
    try:
        fd = os.open(WORLD_LOG, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode):
            return None
        os.lseek(fd, max(0, about.st_size - LOG_TAIL), os.SEEK_SET)
        lines = os.read(fd, LOG_TAIL).split(b"\n")
    except OSError:
        return None
    finally:
        os.close(fd)
    return [text(line[:500]) for line in lines if b'"knock"' in line][-200:]


SIGHTS["work"] = work
SIGHTS["knocks"] = knocks
