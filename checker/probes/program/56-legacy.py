"""iptables-legacy, only where it was ever used: asking would load the module that makes its tables."""
VARIANTS = {"ip": "iptables-legacy", "ip6": "ip6tables-legacy"}
LEGACY_ENV = {**ENV, "XTABLES_LOCKFILE": "/dev/null"}


def legacy_of(place):
    """{tool: text} of iptables-legacy-save(8), without counters."""
    enter(place.fd)
    found = {}
    for family, tool in VARIANTS.items():
        try:
            with open("/proc/thread-self/net/%s_tables_names" % family, "rb") as file:
                used = file.read(400)
        except OSError:
            continue
        if used:
            saved = legacy_run([tool + "-save"], b"").decode("utf-8", "replace")
            # Tables come in the order in which they were first used.
            tables = sorted(re.split(r"(?m)^(?=\*)", saved))
            lines = [re.sub(r" \[\d+:\d+\]$", " [0:0]", line) for table in tables
                     for line in table.splitlines() if not line.startswith("#")]
            found[tool] = "\n".join(lines) + "\n"
    return found


def legacy_run(argv, given):
    child = subprocess.run(["/usr/sbin/" + argv[0], *argv[1:]], input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env=LEGACY_ENV, cwd="/", timeout=10)
    if child.returncode or len(child.stdout) > 1 << 20:
        raise Trouble("%s: %s" % (argv[0], child.stderr.decode("utf-8", "replace").strip()[:150]))
    return child.stdout


def legacy_under(texts, policy):
    if policy is None or "iptables-legacy" not in texts:
        return texts
    tables = re.split(r"(?m)^(?=\*)", texts["iptables-legacy"])
    changed = [re.sub(r"(?m)^:FORWARD \w+", ":FORWARD " + policy.upper(), table) if table.startswith("*filter") else table
               for table in tables]
    return {**texts, "iptables-legacy": "".join(changed)}


def legacy_make(texts, place):
    enter(place.fd)
    for tool, said in texts.items():
        legacy_run([tool + "-restore", "-w", "5"], said.encode())
