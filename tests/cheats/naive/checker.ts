import type { Session } from '@handwired/host';

/**
 * What most lab checkers do: run the learner's own tools in the learner's own shell and look for words in what they
 * print. A fixture: it shows what each cheat is good for. Of a right build it says pass, too.
 */
const questions: [what: string, command: string, answer: RegExp][] = [
  ['ct1 exists', 'ip netns list', /^ct1\b/m],
  ['ct2 exists', 'ip netns list', /^ct2\b/m],
  ['br0 is up', 'ip link show br0', /br0.*\bUP\b/],
  ["br0 has the gateway's address", 'ip addr show br0', /172\.18\.0\.1\/16/],
  ['ct1 has its address', 'ip netns exec ct1 ip addr show', /172\.18\.0\.11\/16/],
  ['ct2 has its address', 'ip netns exec ct2 ip addr show', /172\.18\.0\.12\//],
  ['ct1 reaches ct2', 'ip netns exec ct1 ping -c 3 -i 0.2 -W 1 172.18.0.12', /[1-3] received/],
  ['ct1 reaches the internet', 'ip netns exec ct1 ping -c 3 -i 0.2 -W 1 8.8.8.8', /[1-3] received/],
  ['there is NAT', 'iptables -t nat -S', /POSTROUTING.*MASQUERADE/],
  ['FORWARD lets br0 through', 'iptables -S FORWARD', /br0.*ACCEPT/],
  ['ct1 looks up names', 'ip netns exec ct1 dig +short +time=1 +tries=2 example.com', /^\d+\.\d+\.\d+\.\d+$/m],
  ['ct1 gets a page', `ip netns exec ct1 curl -s --max-time 3 -w 'HTTP %{http_code}' http://example.com/`, /HTTP 200/],
  ['the port is published', 'iptables -t nat -S PREROUTING', /8080.*DNAT.*172\.18\.0\.11:80/],
  ['the port answers', `curl -s --max-time 3 -w 'HTTP %{http_code}' http://127.0.0.1:8080/`, /HTTP 200/],
];

/** What the naive checker finds wrong; empty when it says pass. */
export async function naiveCheck(session: Session): Promise<string[]> {
  const wrong = await Promise.all(
    questions.map(async ([what, command, answer]) => {
      // A login shell that takes itself for interactive, as behind a terminal: with the learner's aliases and PATH.
      const options = { maxBytes: 1 << 20 };
      const { stdout } = await session.exec(['bash', '-lic', command], options).catch(() => ({ stdout: '' }));
      return answer.test(stdout) ? [] : [`${what}: ${stdout.slice(0, 200)}`];
    }),
  );
  return wrong.flat();
}
