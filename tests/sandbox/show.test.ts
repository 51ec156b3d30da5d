import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Topology } from '@handwired/host';
import { sharedLab } from './shared-lab.ts';

/** What of a network differs from the plan, by text. */
const marks = (json: string): string[] =>
  Topology.parse(JSON.parse(json)).zones.flatMap((zone) =>
    [zone, ...zone.nodes].flatMap(({ name, mark, notes, ...rest }) =>
      [{ text: name, mark }, ...('addresses' in rest ? rest.addresses : []), ...notes].flatMap((label) =>
        label.mark === null ? [] : [`${name}: ${label.text} (${label.mark})`],
      ),
    ),
  );

describe('lab show', () => {
  const shared = sharedLab('show');

  test('draws a lab host that is untouched, then what was built, with nothing marked', async () => {
    const { lab } = shared();
    assert.match((await lab('show', 'show')).stdout, /┌ lab host [^]* enp1s0 /);
    assert.equal((await lab('build', 'show')).code, 0);
    const { stdout } = await lab('show', 'show', '-o', 'json');
    assert.deepEqual(marks(stdout), []);
    const through = await lab('show', 'show', '--through', 'veth', '-o', 'json');
    assert.deepEqual(marks(through.stdout), []);
  });

  test('marks what is broken, in every form, and no name of the lab host acts on the terminal', async () => {
    const { lab, session } = shared();
    const script = `ip link set veth-ct1 nomaster
      ip -n ct2 addr flush dev eth0
      sysctl -qw net.ipv4.ip_forward=0
      ip link add "$(printf '\\033[31m<b>"')" type dummy
      ip netns add "$(printf 'a\\033]0;x\\007')"`;
    assert.equal((await session.exec(script)).code, 0);
    const forms = await Promise.all(
      [['-o', 'json'], ['--plain'], ['-o', 'svg'], ['-o', 'mermaid'], []].map((flags) => lab('show', 'show', ...flags)),
    );
    for (const { code, stdout } of forms) {
      assert.equal(code, 0);
      assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]|<b>"/);
      assert.match(stdout, /is in no bridge/);
    }
    const found = marks(forms[0]?.stdout ?? '');
    for (const wanted of [
      'veth-ct1: is in no bridge (wrong)',
      'eth0: 172.18.0.12/16 (missing)',
      'routing and NAT: forwards IPv4 (missing)',
      'a\\u{1b}]0;x\\u{7}: a\\u{1b}]0;x\\u{7} (extra)',
    ])
      assert.ok(found.includes(wanted), `${wanted}\n${found.join('\n')}`);
  });

  test('says what goes together and what does not', async () => {
    const { lab } = shared();
    const senseless = await lab('show', 'show', '--plain', '-o', 'svg');
    assert.equal(senseless.code, 64);
    assert.match(senseless.stderr, /--plain goes with -o text/);
    assert.equal((await lab('show', 'none')).code, 78);
  });
});
