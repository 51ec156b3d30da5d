"""Every link of a namespace at once: packet(7). Also ARP, which says why a packet did not leave."""


class Sights:
    """What passes in the namespace that this thread is in, in the kernel's order."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, socket.htons(3))
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE
        self.sock.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
        self.devices = dict(socket.if_nameindex())
        self.found, self.over = [], False

    def take(self):
        for _ in range(2000):
            try:
                data, extra, _, (device, protocol, kind, _, mac) = self.sock.recvmsg(2048, 64)
            except BlockingIOError:
                return
            except OSError:
                self.over = True
                return
            sight = self.arp(data) if protocol == 0x806 else self.packet(data) if protocol == 0x800 else None
            if sight is None:
                continue
            if len(self.found) >= 300:
                self.over = True
                return
            stamp = next((struct.unpack("=qq", part[:16]) for level, _, part in extra if level == socket.SOL_SOCKET), (0, 0))
            self.found.append({"at": stamp[0] + stamp[1] / 1e9, "device": device, "way": "out" if kind == 4 else "in",
                               "other": kind == 3, **sight})  # PACKET_OTHERHOST: to another MAC address

    def packet(self, data):
        start = (data[0] & 15) * 4 if data else 0
        return {**found, "ttl": data[8]} if is_ours(data) and (found := told(data[:20], data[start:])) else None

    def arp(self, data):
        what = {1: "who-has", 2: "is-at"}.get(data[7]) if len(data) >= 28 else None
        return what and {"what": what, "source": socket.inet_ntoa(data[14:18]), "sourcePort": 0,
                         "target": socket.inet_ntoa(data[24:28]), "targetPort": 0, "ttl": 0}
