"""One packet is sent while all of it looks; then it is told."""
LEGACY_SAVE = "/usr/sbin/iptables-legacy-save"


def output(*argv):
    """What a program of the seat's prints, its first MiB; empty where it fails."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENV,
                              cwd="/", timeout=5)
        return text(done.stdout[:1 << 20])
    except (OSError, subprocess.SubprocessError):
        return ""


def legacy():
    """iptables-legacy's rules with their counters; None where it has no tables."""
    names = text(read("/proc/thread-self/net/ip_tables_names")) or ""
    return output(LEGACY_SAVE, "-c") if names.strip() else None


def moved(before, after):
    """The rules and policies whose counters went up: it is all that iptables-legacy says of a packet."""
    found, table, counts = [], "", {}
    for text_of, keep in ((before, True), (after, False)):
        for line in (text_of or "").splitlines():
            table = line[1:] if line.startswith("*") else table
            rule = re.match(r"\[(\d+):\d+\] -A (\S+) ?(.*)$", line)
            policy = re.match(r":(\S+) (\S+) \[(\d+):\d+\]$", line)
            key = (table, rule[2], rule[3]) if rule else (table, policy[1], "policy " + policy[2]) if policy else None
            if key is None:
                continue
            packets = int(rule[1] if rule else policy[3])
            if keep:
                counts[key] = packets
            elif packets > counts.get(key, packets) and len(found) < 100:
                found.append({"table": table[:100], "chain": key[1][:100], "rule": key[2][:400], "packets": packets - counts[key]})
    return found


class Watcher:
    """All eyes in one namespace. The world's own rules are none of the learner's: there only links are looked at."""

    def __init__(self, name):
        self.name, self.tracer, self.untraced = name, None, None
        self.sights = Sights()
        if name != "world":
            try:
                self.tracer = Tracer(name == "root")
            except OSError as error:
                self.untraced = str(error)[:200]
            self.legacy = legacy()

    def socks(self):
        return [self.sights.sock] + ([self.tracer.link.sock] if self.tracer else [])

    def take(self):
        self.sights.take()
        if self.tracer:
            self.tracer.take()

    def count(self):
        return len(self.sights.found) + (len(self.tracer.found) if self.tracer else 0)

    def end(self):
        """In this namespace: what is told of it."""
        flows = output("/usr/sbin/conntrack", "-L", "-o", "extended")
        told_of = {"devices": [{"index": index, "name": name} for index, name in self.sights.devices.items()][:300],
                   "sights": self.sights.found, "rules": self.tracer.found if self.tracer else [], "untraced": self.untraced,
                   "over": self.sights.over or bool(self.tracer and self.tracer.over), "conntrack": flows,
                   "legacy": None}
        if self.name != "world" and self.legacy is not None:
            told_of["legacy"] = moved(self.legacy, legacy())
        return told_of


def follow(sender, watchers):
    """Until it was answered and all is quiet, or nothing moves any more: a trivial program's time tells how long that is."""
    begin = time.monotonic()
    output("/usr/bin/true")
    quiet = max(P["quiet"], 20 * (time.monotonic() - begin))
    all_socks = [sock for watcher in watchers for sock in watcher.socks()] + [sender.sock]
    result, count, last, end = None, -1, time.monotonic(), time.monotonic() + P["seconds"]
    try:
        sender.send()
    except OSError as error:
        result = {"ok": False, "error": os.strerror(error.errno)}  # what was seen up to there is told all the same
    while time.monotonic() < end:
        select.select(all_socks[:-1] if P["kind"] == "tcp" or result else all_socks, [], [], 0.01)
        for watcher in watchers:
            watcher.take()
        result = result or sender.come()
        now = sum(watcher.count() for watcher in watchers)
        if now != count:
            count, last = now, time.monotonic()
        if time.monotonic() - last > (0.02 if result else quiet):
            break
    return result


def main():
    spaces = {name[6:] if name.startswith("netns ") else name: fd for name, fd in spaces_of(View(), Processes())[0].items()}
    if P["in"] not in spaces:
        return {"missing": True, "result": None, "spaces": {}}
    watchers = each(spaces, Watcher)
    result = None
    try:
        enter(spaces[P["in"]])
        sender = Sender()
        enter(HERE)
        result = follow(sender, list(watchers.values()))
    except OSError as error:
        result = {"ok": False, "error": os.strerror(error.errno) if error.errno else str(error)[:200]}
    finally:
        enter(HERE)
    told_of = each({name: spaces[name] for name in watchers}, lambda name: watchers[name].end())
    return {"missing": False, "result": result, "spaces": told_of}


send(main())
os._exit(0)
