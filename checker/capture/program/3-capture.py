"""Opens all places, and reads them until it is enough."""
HOLD = 0.05


def opened(spaces, program):
    known = links(spaces)
    for space, device in P["at"]:
        if device not in known.get(space, []):
            say({"trouble": "place", "place": [space, device], "known": known})
            return None
    places = []
    for number, (space, device) in enumerate(P["at"]):
        enter(spaces[space])
        try:
            places.append(Place(number, device, program))
        finally:
            enter(HERE)
    return places


def main():
    spaces = {name[6:] if name.startswith("netns ") else name: fd for name, fd in spaces_of(View(), Processes())[0].items()}
    spaces.pop("world", None)
    program, said = compiled(P["filter"]) if P["filter"] else (None, None)
    if said:
        return say({"trouble": "filter", "said": said})
    places = opened(spaces, program)
    if places is None:
        return None
    say({"ready": True})
    sys.stdout.buffer.flush()
    poll, owner, gone = select.poll(), {}, set()
    poll.register(1, 0)  # POLLERR or POLLHUP: nobody reads any more
    for place in places:
        for sock in place.socks():
            poll.register(sock.fileno(), select.POLLIN)
            owner[sock.fileno()] = place
    end = time.monotonic() + P["seconds"] if P["seconds"] else None
    while end is None or time.monotonic() < end:
        held = any(place.held for place in places)
        wait = HOLD if held else 0.5
        for fd, _ in poll.poll(1000 * max(0, wait if end is None else min(wait, end - time.monotonic()))):
            if fd == 1:
                return None
            place = owner[fd]
            try:
                place.take()
            except OSError:
                # ENETDOWN: the link went down, or away. It is told once; a link that comes up again goes on.
                if place.number not in gone:
                    gone.add(place.number)
                    say({"down": place.number})
        flush(places, time.time() - HOLD)
    flush(places, float("inf"))
    return say({"end": [place.all.drops() for place in places]})


def flush(places, before):
    for place in places:
        place.flush(before)
    sys.stdout.buffer.flush()


main()
sys.stdout.buffer.flush()
os._exit(0)
