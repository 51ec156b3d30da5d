import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { noSandbox } from './sandbox.ts';
import { sharedLab } from './shared-lab.ts';

describe('lab trace and lab observe', { skip: noSandbox, timeout: 60_000 }, () => {
  const shared = sharedLab('packets');

  it('a trace that is killed leaves no table behind', async () => {
    const { lab, session } = shared();
    const tables = async (): Promise<string> => (await session.exec('nft list tables')).stdout;
    const before = await tables();
    let killed = 0;
    for (let round = 0; round < 12 && killed < 3; round += 1) {
      // Nobody has this address: the packet is waited for, and the table is there meanwhile.
      const trace = lab.start(['trace', 'host', '203.0.113.99', '--lab', 'packets']);
      const state = { ended: false };
      void trace.ended.then(() => (state.ended = true));
      let seen = false;
      while (!seen && !state.ended) seen = (await tables()).includes('handwired-trace');
      trace.kill('SIGKILL');
      if (seen && !state.ended) killed += 1;
      for (const end = Date.now() + 5000; (await tables()) !== before; )
        assert.ok(Date.now() < end, 'it is still there');
    }
    assert.equal(killed, 3, 'traces that were killed while their table was there');
    const { code, stdout } = await lab('trace', 'host', 'internet', '--lab', 'packets');
    assert.equal(code, 0);
    assert.match(stdout, /^answered: /m);
    const schema = await readFile(new URL('../../docs/schema/trace.json', import.meta.url), 'utf8');
    const { stdout: json } = await lab('trace', 'host', 'lan', '--lab', 'packets', '-o', 'json');
    const ajv = new Ajv2020({ strict: false });
    assert.ok(ajv.validate(JSON.parse(schema) as object, JSON.parse(json)), ajv.errorsText());
    assert.equal(await tables(), before);
  });

  it('a trace says what is wrong with its words, and what to type', async () => {
    const { lab } = shared();
    for (const [words, says, exit] of [
      ['trace ct1 internet', /there is no network namespace ct1 to send from\n +next: +lab check --hints 1/, 1],
      ['trace host 203.0.113.99', /^lost: host asks on enp1s0 who has 203\.0\.113\.99/m, 1],
      ['trace bogus host', /unknown end 'bogus'; it is one of: ct1 ct2 host outside lan internet/, 64],
      ['trace host internet --port 70000', /--port wants a whole number from 1 to 65535/, 64],
      ['trace host', /missing required argument 'to'/, 64],
    ] as const) {
      const { code, stdout, stderr } = await lab(...words.split(' '), '--lab', 'packets');
      assert.match(stdout + stderr, says);
      assert.equal(code, exit, words);
    }
  });

  it('a capture that is ended by Ctrl-C or by its bounds says what it saw, and what is wrong with its words', async () => {
    const { lab, session } = shared();
    const capture = lab.start(['observe', 'packets', '--at', 'uplink', '--filter', 'icmp']);
    await capture.shows(/capturing at uplink; Ctrl-C ends it/);
    await session.exec('ping -c1 8.8.8.8');
    await capture.shows(/ echo reply .*uplink in/);
    capture.kill('SIGINT');
    const { code, stderr } = await capture.ended;
    assert.equal(code, 0);
    assert.match(stderr, /2 packets seen/);
    for (const [words, says, exit] of [
      ['--at uplink --filter sctp --seconds 1', /0 packets seen/, 0],
      ['--at ct1:eth0', /there is no link ct1:eth0 on the lab host .*it has: lo enp1s0/, 64],
      ['--at br0,,uplink', /--at wants 1-16 links with commas between them/, 64],
      ['--filter tcp prt 80', /too many arguments/, 64],
      ['--at uplink --filter nonsense', /the filter 'nonsense' does not parse: /, 64],
    ] as const) {
      const ended = await lab('observe', 'packets', ...words.split(' '));
      assert.match(ended.stdout + ended.stderr, says);
      assert.equal(ended.code, exit, words);
    }
  });
});
