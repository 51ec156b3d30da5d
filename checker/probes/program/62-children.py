"""A child for each copy: built, compared, and the experiments made in it. It dies with us, and its namespaces with it."""

SECONDS = 15  # a copy that takes longer is ended


def copy_run(place, states, condition, turns):
    """All of it, in a child of its own: built, compared, and the experiments made."""
    global clock
    clock = Patience()
    copy = Place({}, condition["probes"], place.etc)
    servers = Servers(turns, copy.of_token)
    copy_condition(states, condition)
    places, missing = copy_build(states, condition, servers)
    servers.start()
    found = missing + differences(states, places)
    blank = {"results": {}, "seen": [], "over": False, "drops": {}}
    if found:
        return {**blank, "differences": [line[:300] for line in found[:50]], "error": None}
    copy.spaces = {name: space.fd for name, space in places.items()}
    KINDS["lookup"] = ask_name
    return {**experiment(copy), "differences": [], "error": None, "relayed": list(servers.relayed.values())}


class Copy:
    def __init__(self, place, states, condition, turns):
        self.condition, self.got = condition, b""
        self.pipe, theirs = os.pipe()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
            if os.getppid() != parent:
                os._exit(1)
            try:
                os.close(self.pipe)
                answer = copy_run(place, states, condition, turns)
                seen = answer.pop("relayed", []) + [sight for sight in answer["seen"] if sight["probe"]]
                answer["seen"] = seen[:700]
                answer["over"] |= len(seen) > 700
            except BaseException as error:
                answer = {"results": {}, "seen": [], "over": False, "drops": {}, "differences": [],
                          "error": ("%s" % error or type(error).__name__)[:300]}
            with os.fdopen(theirs, "wb") as file:
                file.write(json.dumps(answer).encode())
            os._exit(0)
        os.close(theirs)

    def take(self, until):
        """What came of it, at the latest when `until` is there."""
        while True:
            found = select.select([self.pipe], [], [], max(0, until - time.monotonic()))[0]
            data = os.read(self.pipe, 1 << 16) if found else b""
            self.got += data
            if not data or len(self.got) > 1 << 20:
                break
        os.close(self.pipe)
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except OSError:
            pass
        names = {"forwardPolicy": self.condition["forwardPolicy"], "bridgeNf": self.condition["bridgeNf"]}
        try:
            return {"condition": names, **json.loads(self.got)}
        except ValueError:
            return copy_failed(names, "it did not come to its end")


def copy_failed(names, why):
    return {"condition": {"forwardPolicy": names["forwardPolicy"], "bridgeNf": names["bridgeNf"]}, "results": {}, "seen": [],
            "over": False, "drops": {}, "differences": [], "error": why[:300]}


def begin_copies(place):
    """Starts a child for each condition; a list of Copy, or of what says why there are none."""
    wanted = (P.get("copies") or {"conditions": []})["conditions"]
    if not wanted:
        return []
    try:
        states = originals(place)
    except (Trouble, OSError, struct.error, KeyError, subprocess.SubprocessError) as error:
        return [copy_failed(condition, str(error)) for condition in wanted]
    finally:
        enter(HERE)
    turns = Turns()
    return [Copy(place, states, condition, turns) for condition in wanted]


def take_copies(copies):
    until = time.monotonic() + SECONDS
    return [copy.take(until) if isinstance(copy, Copy) else copy for copy in copies]
