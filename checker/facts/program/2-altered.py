"""What is under the learner's commands that is not the seat's own, byte by byte. P["tools"] is facts/tools.ts."""
TOOLS = P["tools"]
SEARCH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
COMMANDS = {}  # name -> where the seat has it
OWN = {}  # real path -> file descriptor, of the seat's own files
WHOLE = ("/", "/usr", "/etc", "/proc", "/sys", "/usr/local")
QUIET = re.compile(r"/proc/(sys(/net|/fs/binfmt_misc)?|sysrq-trigger)$|/sys/devices/virtual/net$|/run/handwired/mgmt\.ns$")
WATCHED = re.compile(r"/((usr/)?(s?bin|lib[^/]*)|usr/local|usr/local/lib/handwired|(etc|run)/handwired|proc|sys/(class|devices))/")


def open_own():
    """Opens the seat's own copy of everything; before the view is made, which compares. Without a seat there is none."""
    if not P["view"]:
        return
    for name in TOOLS["commands"]:
        path = next((path for path in (folder + "/" + name for folder in SEARCH[2:4]) if os.path.exists(path)), None)
        if path:
            COMMANDS[name] = path
    folders = ["/usr/lib/" + name for name in listing("/usr/lib") if name.endswith("-linux-gnu")]
    libraries = [folder + "/" + name for folder in folders for name in TOOLS["libraries"]]
    for path in [*COMMANDS.values(), *libraries, *TOOLS["settings"]]:
        path = os.path.realpath(path)
        try:
            OWN.setdefault(path, os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        except OSError:
            pass


def same(path, own):
    """Has the view's file of that path the bytes of the seat's?"""
    try:
        fd, at = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), 0
    except OSError:
        return False
    try:
        size = os.fstat(own).st_size
        if not stat.S_ISREG(os.fstat(fd).st_mode) or os.fstat(fd).st_size != size:
            return False
        while at < size:
            data = os.pread(fd, 1 << 20, at)
            if not data or data != os.pread(own, len(data), at):
                return False
            at += len(data)
        return True
    finally:
        os.close(fd)


def altered(fds):
    """[path, what is wrong with it] of everything, in the view."""
    found = [[path, "differs from the image's own" if os.path.lexists(path) else "is gone"]
             for path, own in OWN.items() if not same(path, own)]
    for name, ours in COMMANDS.items():
        first = next((folder + "/" + name for folder in SEARCH if os.path.lexists(folder + "/" + name)), None)
        real = first and os.path.realpath(first)
        if first and os.path.dirname(first) != os.path.dirname(ours):
            found.append([first, "comes before %s in PATH" % ours])
        elif first and real not in OWN:
            found.append([first, "leads to %s, which is none of the image's own" % real])
    if COMMANDS:
        for path in TOOLS["settings"]:
            if os.path.lexists(path) and os.path.realpath(path) not in OWN:
                found.append([path, "is there, and the image has none"])
        for folder in ["/usr/local/lib", *("/usr/local/lib/" + name for name in listing("/usr/local/lib"))]:
            found += [[folder + "/" + name, "comes before the image's own library"] for name in TOOLS["libraries"] if name in listing(folder)]
    return found + [[path, what] for path in TOOLS["shells"] for what in spells(text(read(path, 1 << 16)) or "")]


def spells(script):
    """Aliases and functions by which a shell takes another program for a command; not those that only add options to it."""
    for name, value in re.findall(r"^[^#\n]*\balias\b.*?\b([\w.-]+)=['\"]?([^'\"\s]*)", script, re.M):
        if name in TOOLS["commands"] and value != name:
            yield "makes %s an alias" % name
    for name in re.findall(r"^\s*(?:function\s+)?([\w.-]+)\s*\(\)", script, re.M):
        if name in TOOLS["commands"]:
            yield "makes %s a function" % name
    if re.search(r"^[^#\n]*\bLD_PRELOAD=", script, re.M):
        yield "sets LD_PRELOAD"


def mounted():
    """Mounts over programs, libraries and the kernel's files: nobody needs them but who hides something."""
    found, points = [], [(point, kind) for point, _, kind in mounts()]
    for at, (point, kind) in enumerate(points):
        again = point in [earlier for earlier, _ in points[:at]]
        if point in WHOLE:
            odd = again or (point in ("/usr", "/etc") and kind != "overlay")
        else:
            odd = bool(WATCHED.match(point + "/")) and (again or not QUIET.match(point))
        if odd:
            found.append([point, "is covered by a mount (%s)" % kind])
    return found


SIGHTS["altered"] = altered
