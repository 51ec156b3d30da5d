import { type Cheat, python, right } from './cheat.ts';

/** A web server and a name server that answer everything, on every address of the namespace they are started in. */
const answers = `import http.server, socket, threading
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = ("handwired world: GET %s at 93.184.216.34:80 from 203.0.113.2:40000\\n" % self.path).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names.bind(("8.8.8.8", 53))
def resolve():
    while True:
        query, sender = names.recvfrom(2048)
        end = query.index(b"\\0", 12) + 5
        reply = query[:2] + b"\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0" + query[12:end]
        names.sendto(reply + b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\0\\0\\4" + socket.inet_aton("93.184.216.34"), sender)
threading.Thread(target=resolve, daemon=True).start()
http.server.ThreadingHTTPServer(("93.184.216.34", 80), Page).serve_forever()`;

export const localInternet: Cheat = {
  name: 'local-internet',
  what: "example.com's and the resolvers' addresses are on the lab host's lo, with servers on them; the NAT rule never matches",
  script: `${right.links}
${right.egress.replace('-o enp1s0 -j', '-o enp1s0 -m mark --mark 99 -j')}
${right.dns.replaceAll('1.1.1.1', '8.8.8.8')}
${right.publish}
for address in 8.8.8.8 1.1.1.1 93.184.216.34; do ip addr add $address/32 dev lo; done
${python('internet', answers, 'ss -Hltn sport = 80 | grep -q 93.184')}`,
  naive: 'pass',
  caught: ['egress.ct1', 'egress.ct2', 'dns.ct1'],
  seen: /nothing of it arrived in the world/,
};
