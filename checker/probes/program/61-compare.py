"""Is a copy like the original? All of it is dumped again and compared."""


def differences(states, places):
    """Where the copy is not like the original, in words; ports and carriers are given a moment to come up."""
    found, until = [], clock.now() + 3
    for name, state in states.items():
        if name == "world":
            continue
        names = {index: link.name for index, link in state.links.items()}
        wanted = {link.name: link.picture(names) for link in state.links.values()}
        while True:
            now = links_of(places[name])
            for link in now.values():
                original = state.links.get(link.index)
                link.peer = original and original.peer
                link.mac = link.mac if original is None or any(original.mac) else original.mac
            have = {link.name: link.picture(names) for link in now.values()}
            # A link with a carrier drops what it is given until the kernel's link watch has come to it (net/core/link_watch.c).
            # A bridge that has lost its last port keeps the state that it had; a new one without ports never gets there.
            bare = {link.index for link in state.links.values() if link.kind == "bridge"} - \
                {link.master for link in state.links.values()}
            late = [link.name for index, link in state.links.items()
                    if link.running and index not in bare and not (index in now and now[index].running)]
            if (have == wanted and not late) or clock.now() > until:
                break
            time.sleep(0.003)
        found += ["%s: link %s does not run" % (name, key) for key in late if key in have]
        found += ["%s: link %s: %s" % (name, key, unlike(wanted.get(key), have.get(key)))
                  for key in sorted({*wanted, *have}) if wanted.get(key) != have.get(key)]
        for subject in SUBJECTS:
            found += unequal("%s: %s" % (name, subject.name), [key for key, _ in state.things[subject.name]],
                             [key for key, _ in subject.dump(places[name])])
        settings = settings_of(places[name], state.links)
        found += ["%s: %s is %s, not %s" % (name, path, settings.get(path), value)
                  for path, value in state.settings.items() if settings.get(path) != value]
        found += unequal(name + ": nftables", nft_picture(state.nft), nft_picture(nft_of(places[name])))
        if legacy_of(places[name]) != state.legacy:
            found.append("%s: iptables-legacy has other rules" % name)
    return found


def unlike(wanted, have):
    if not wanted or not have:
        return "is missing" if wanted else "is too much"
    return ", ".join("%s is %s, not %s" % (key, have[key], wanted[key]) for key in wanted if wanted[key] != have[key])


def unequal(what, wanted, have):
    extra, lacking = [key for key in have if key not in wanted], [key for key in wanted if key not in have]
    found = ["%s lacks %r" % (what, key) for key in lacking] + ["%s has %r too much" % (what, key) for key in extra]
    return found or ([] if wanted == have or sorted(wanted, key=repr) == sorted(have, key=repr) else ["%s: in another order" % what])
