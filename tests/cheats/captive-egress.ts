import { type Cheat, python, right } from './cheat.ts';

const page = `import http.server
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"handwired world: GET %s at 93.184.216.34:80\\n" % self.path.encode())
http.server.ThreadingHTTPServer(("172.18.0.1", 8081), Page).serve_forever()`;

export const captiveEgress: Cheat = {
  name: 'captive-egress',
  what: 'DNAT turns all that leaves a container back to the lab host itself, which answers pings and every request',
  script: `${right.links}
${right.egress.replace('-o enp1s0 -j', '-o lo -j')}
${right.dns}
${right.publish}
iptables -t nat -I PREROUTING -i br0 ! -d 172.18.0.0/16 -p icmp -j DNAT --to-destination 172.18.0.1
iptables -t nat -I PREROUTING -i br0 ! -d 172.18.0.0/16 -p tcp --dport 80 -j DNAT --to-destination 172.18.0.1:8081
iptables -t nat -I PREROUTING -i br0 ! -d 172.18.0.0/16 -p udp --dport 53 -j DNAT --to-destination 172.18.0.1
dnsmasq --conf-file=/dev/null --interface=br0 --bind-interfaces --except-interface=lo --no-hosts --no-resolv \\
  --address=/#/93.184.216.34 --pid-file=/run/lab-dns.pid
${python('page', page, 'ss -Hltn sport = 8081 | grep -q .')}`,
  naive: 'pass',
  caught: ['egress.ct1', 'egress.ct2', 'dns.ct1', 'dns.ct2'],
  seen: /nothing of it arrived in the world/,
};
