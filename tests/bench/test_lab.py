"""The default plan's checks as one would write them with testinfra over ssh: a test each, with the lab host's own tools.

The same ids as ours, the same standards where they can be had this way: fresh tokens, the capture on ct1's eth0, what the
world logged, and every behaviour under both FORWARD policies and both values of bridge-nf, switched on the lab host itself.
"""
import itertools
import json
import uuid

import pytest

BASE = {"ct1": "172.18.0.11", "ct2": "172.18.0.12"}
OTHER = {"ct1": "ct2", "ct2": "ct1"}
GATEWAY, SITE, UPLINK, OUTSIDE = "172.18.0.1", "93.184.216.34", "203.0.113.2", "198.51.100.7"
LOG = "/run/handwired/world.log"
WORLD = "nsenter --net=/proc/$(cat /run/handwired/world.pid)/ns/net "
CONDITIONS = list(itertools.product(("ACCEPT", "DROP"), ("0", "1")))
both = pytest.mark.parametrize("ct", ["ct1", "ct2"])


def links(host, where=""):
    return json.loads(host.check_output("ip %s -j -d addr show" % where))


def link(host, name, where=""):
    return next(entry for entry in links(host, where) if entry["ifname"] == name)


def addresses(entry):
    return ["%s/%d" % (info["local"], info["prefixlen"]) for info in entry["addr_info"] if info["family"] == "inet"]


def peer(host, ct):
    inner = link(host, "eth0", "-n " + ct)
    return next(entry for entry in links(host) if entry["ifindex"] == inner["link_index"])


def inside(ct):
    return "ip netns exec %s " % ct


def pings(host, ct, address):
    return host.run(inside(ct) + "ping -c 1 -W 1 " + address).rc == 0


def token():
    return "hw" + uuid.uuid4().hex[:18]


def logged(host, word):
    return [json.loads(line) for line in host.run("grep %s %s" % (word, LOG)).stdout.splitlines()]


def curl(host, url, where=""):
    return host.run("%s curl -sS --max-time 1 %s" % (where, url))


def reaches_internet(host, ct):
    word = token()
    assert pings(host, ct, "8.8.8.8")
    assert curl(host, "http://%s/%s" % (SITE, word), inside(ct)).rc == 0
    assert [line["src"] for line in logged(host, word)] == [UPLINK]


def looks_up(host, ct):
    word = token()
    answer = host.run(inside(ct) + "getent ahostsv4 %s.example.com" % word)
    assert answer.stdout.startswith(SITE) and logged(host, word)


def is_published(host, url, where=""):
    """A request with a token is answered, and seen arriving on ct1's eth0."""
    word = token()
    seen = host.run(
        "timeout 2 ip netns exec ct1 tcpdump -n -A -c 1 -i eth0 'tcp dst port 80 and tcp[13] & 8 != 0' >/tmp/%s 2>/tmp/%s.err & "
        "until grep -q listening /tmp/%s.err; do :; done; %s curl -sS --max-time 1 %s/%s >/dev/null; wait; cat /tmp/%s; rm /tmp/%s*"
        % (word, word, word, where, url, word, word, word)
    )
    assert word in seen.stdout


@both
def test_namespace(host, ct):
    assert host.check_output("stat -fc %%T /run/netns/%s" % ct) == "nsfs"
    inodes = {host.check_output("stat -Lc %%i %s" % path) for path in ("/proc/self/ns/net", *("/run/netns/" + ct for ct in BASE))}
    assert len(inodes) == 3


def test_bridge_exists(host):
    assert link(host, "br0")["linkinfo"]["info_kind"] == "bridge"


def test_bridge_address(host):
    assert GATEWAY + "/16" in addresses(link(host, "br0"))


def test_bridge_up(host):
    assert "UP" in link(host, "br0")["flags"]


def test_uplink(host):
    uplink = link(host, "enp1s0")
    assert "master" not in uplink and addresses(uplink) == [UPLINK + "/24"]


@both
def test_veth(host, ct):
    assert peer(host, ct)["linkinfo"]["info_kind"] == "veth"


@both
def test_veth_port(host, ct):
    assert peer(host, ct)["master"] == "br0" and "UP" in peer(host, ct)["flags"]


@both
def test_link(host, ct):
    assert all("UP" in link(host, name, "-n " + ct)["flags"] for name in ("lo", "eth0"))


@both
def test_address(host, ct):
    assert addresses(link(host, "eth0", "-n " + ct)) == [BASE[ct] + "/16"]


@both
def test_route(host, ct):
    routes = json.loads(host.check_output("ip -n %s -j route show default" % ct))
    assert [route["gateway"] for route in routes] == [GATEWAY]


@both
def test_gateway(host, ct):
    assert pings(host, ct, GATEWAY)


@both
def test_neighbour(host, ct):
    assert pings(host, ct, BASE[OTHER[ct]])


@both
def test_egress(host, ct):
    reaches_internet(host, ct)


def test_masquerade(host):
    word = token()
    curl(host, "http://%s/%s" % (SITE, word), inside("ct2"))
    assert [line["src"] for line in logged(host, word)] == [UPLINK]


@both
def test_dns(host, ct):
    looks_up(host, ct)


def test_https(host):
    word = token()
    assert curl(host, "https://example.com/" + word, inside("ct1")).rc == 0 and logged(host, word)


def test_resolver_files(host):
    assert host.file("/etc/resolv.conf").linked_to == "/run/systemd/resolve/stub-resolv.conf"
    assert "127.0.0.53" in host.file("/etc/resolv.conf").content_string
    assert "example.com" not in host.file("/etc/hosts").content_string


def test_host_lookup(host):
    word = token()
    assert host.run("getent ahostsv4 %s.example.com" % word).rc == 0 and logged(host, word)


def test_server(host):
    is_published(host, "http://172.18.0.11:80")


def test_outside(host):
    is_published(host, "http://%s:8080" % UPLINK, WORLD)


def test_host_address(host):
    is_published(host, "http://%s:8080" % UPLINK)


def test_loopback(host):
    is_published(host, "http://127.0.0.1:8080")


@pytest.mark.parametrize("where", [inside("ct2"), ""])
def test_other_hosts(host, where):
    word = token()
    assert curl(host, "http://%s:8080/%s" % (SITE, word), where).rc == 0 and logged(host, word)


@pytest.fixture(params=CONDITIONS, ids=lambda condition: "-".join(condition))
def condition(host, request):
    """One way that the lab host could have been, and back to what it was."""
    was = host.check_output("iptables -S FORWARD | head -1; sysctl -n net.bridge.bridge-nf-call-iptables").splitlines()
    switch = "iptables -P FORWARD %s; sysctl -qw net.bridge.bridge-nf-call-iptables=%s"
    host.check_output(switch % request.param)
    yield
    host.check_output(switch % (was[0].split()[-1], was[1]))


def test_connectivity_conditions(host, condition):
    assert all(pings(host, ct, BASE[OTHER[ct]]) for ct in BASE)


def test_egress_conditions(host, condition):
    for ct in BASE:
        reaches_internet(host, ct)


def test_dns_conditions(host, condition):
    for ct in BASE:
        looks_up(host, ct)


def test_publish_conditions(host, condition):
    for url, where in (("http://%s:8080" % UPLINK, WORLD), ("http://%s:8080" % UPLINK, ""), ("http://127.0.0.1:8080", "")):
        is_published(host, url, where)
