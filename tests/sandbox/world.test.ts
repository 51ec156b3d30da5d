import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Lab, labOf, noSandbox, ownState, specOf } from './sandbox.ts';

describe('the world of a sandbox', { skip: noSandbox, timeout: 60_000 }, () => {
  let forget: () => Promise<void>;
  let lab: Lab;
  before(async () => {
    forget = await ownState();
    lab = await labOf(specOf('world'));
  });
  after(() => forget());

  it('sees the source address of packets that nobody translated', async () => {
    await lab.sh('ip addr add 172.18.0.11/32 dev lo');
    const { code } = await lab.session.exec(
      'ping -c1 -W1 -I 172.18.0.11 8.8.8.8; dig +tries=1 +time=1 -b 172.18.0.11 @1.1.1.1 plain.example.com',
    );
    assert.notEqual(code, 0, 'the internet has no way back to a private address');
    const log = await lab.sh('cat /run/handwired/world.log');
    assert.match(log, /"kind": "icmp", "src": "172\.18\.0\.11", "dst": "8\.8\.8\.8"/);
    assert.match(log, /"kind": "dns", "src": "172\.18\.0\.11".*"plain\.example\.com"/);
  });

  it('has somebody outside knock on a port of this lab host, whoever listens there or not', async () => {
    const knock = (port: number): Promise<string> => lab.sh(`curl -s http://example.com/knock/${port}`);
    assert.match(await knock(81), /^knock from 198\.51\.100\.7:\d+ to 203\.0\.113\.2:81: Connection refused\n$/);
    await lab.sh('setsid -f python3 -m http.server 82 --directory /srv >/dev/null 2>&1');
    await lab.sh('for n in $(seq 100); do ss -Hltn sport = :82 | grep -q . && exit 0; sleep 0.1; done; exit 1');
    assert.match(await knock(82), /: HTTP\/1\.0 200 OK\n$/);
    assert.match(await lab.sh('cat /run/handwired/world.log'), /"kind": "knock".*"dport": 82, "came": "HTTP/);
  });

  it('refuses at once what it does not serve', async () => {
    const seconds = async (command: string): Promise<number> => {
      const started = performance.now();
      const { code } = await lab.session.exec(command);
      assert.notEqual(code, 0, command);
      return (performance.now() - started) / 1000;
    };
    for (const command of [
      'curl -sS -m9 http://198.18.0.1/',
      'curl -sS -m9 http://93.184.216.34:81/',
      'dig +tries=1 +time=9 @93.184.216.34 example.com',
      'dig +tries=1 +time=9 @9.9.9.9 example.com',
      'ping -c1 -W9 192.0.2.1',
      'curl -sS -m9 http://no-such-name.invalid/',
      'curl -sS -m9 http://[2001:db8::1]/',
    ]) {
      assert.ok((await seconds(command)) < 2, command);
    }
  });

  it('answers while others hold connections open, send garbage or leave in the middle', async () => {
    const hold = `
import socket, time
held = []
for port in (80, 443, 8080):
    for _ in range(250):
        s = socket.socket(); s.settimeout(2); s.connect(("93.184.216.34", port)); s.send(b"GET /" if port != 443 else b"\\x16\\x03garbage"); held.append(s)
print("held", flush=True)
time.sleep(20)`;
    const holder = await lab.session.stream(`python3 -c '${hold.replaceAll("'", '"')}'`);
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    assert.match(
      await lab.sh('dig +short @1.1.1.1 example.com; dig +short +time=2 @8.8.8.8 x.example.com'),
      /^93.*\n93.*\n$/,
    );
    // All slots are taken: a new connection is closed at once, and served again when the first have run out of time.
    await lab.sh(
      'for i in $(seq 80); do curl -sS -m2 http://example.com/ 2>/dev/null && exit 0; sleep 0.1; done; exit 1',
    );
    holder.kill('KILL');
    void holder.close();
  });

  it('is not what a learner ends by ending their own servers', async () => {
    await lab.session.exec(
      'pkill python3; pkill -f python3; killall -q python3; pkill dnsmasq; pkill sshd; pkill sleep; kill 1',
    );
    const again = await labOf(lab.spec);
    assert.match(await again.sh('dig +short example.com; curl -sS http://example.com'), /^93.*\nhandwired world/);
    again.session.close();
  });
});
