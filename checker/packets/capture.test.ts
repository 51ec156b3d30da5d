import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { defaultPlan } from '@handwired/host';
import { linkTypes, type Packet, parseFrame, readCapture } from '../facts/pcap.ts';
import { assertHolds } from '../testing/random.ts';
import { Lines, pcapngHead, pcapngPacket, parsePlace, type Row, type Sight } from './capture.ts';
import { ObservedPacket, renderRow, renderRowJson } from './render.ts';

/** Recorded by tcpdump 4.99 while a client outside asked the published port, and ct1 pinged and looked up a name. */
const names = ['uplink', 'br0', 'ct1', 'any', 'any-sll'] as const;
const file = (name: (typeof names)[number]): Buffer =>
  readFileSync(new URL(`../fixtures/captures/${name}.pcap`, import.meta.url));

const shown = ({ source, sourcePort, target, targetPort, what }: Packet): string =>
  `${source}:${sourcePort} > ${target}:${targetPort} ${what}`;
const packetsOf = (name: (typeof names)[number]): Packet[] =>
  readCapture(file(name), 1000).frames.flatMap(({ bytes, link }) => parseFrame(bytes, link) ?? []);

/** What the three places saw, as one live capture. */
function sights(): Sight[] {
  const places = ['ct1', 'br0', 'uplink'] as const;
  const all = places.flatMap((name, place) =>
    readCapture(file(name), 1000).frames.map(({ at, bytes: frame, link }) => {
      const packet = parseFrame(frame, link);
      const inner = packet?.source.startsWith('172.18.') || packet?.source === '203.0.113.2';
      const way: Sight['way'] = inner === (place === 1) ? 'in' : 'out';
      return {
        place,
        at: at.toFixed(9),
        way,
        matches: packet?.protocol !== 'arp',
        length: frame.length,
        frame,
        packet,
      };
    }),
  );
  return all.sort((a, b) => Number(a.at) - Number(b.at));
}

const rowsOf = (list: Sight[]): Row[] => {
  const lines = new Lines();
  return [...list.flatMap((sight) => lines.take(sight)), ...lines.due(Infinity)];
};

const places = ['ct1', 'br0', 'uplink'].map((word) => parsePlace(word, defaultPlan));

describe('a capture file', () => {
  it('is read in the classic form, micro- and nanoseconds, of each kind of link that tcpdump has here', () => {
    for (const name of names) {
      const { frames, problem } = readCapture(file(name), 1000);
      assert.equal(problem, null, name);
      assert.ok(frames.length > 8, name);
      assert.ok(
        frames.every(({ at }) => Math.abs(at - (frames[0]?.at ?? 0)) < 60 && at > 1.7e9),
        name,
      );
    }
    const links = names.map((name) => readCapture(file(name), 1).frames[0]?.link);
    const { ethernet, cooked, cooked2 } = linkTypes;
    assert.deepEqual(links, [ethernet, ethernet, ethernet, cooked2, cooked]);
    const syn = packetsOf('ct1').find(({ what }) => what === 'SYN');
    assert.match(syn ? shown(syn) : '', /^198\.51\.100\.7:\d+ > 172\.18\.0\.11:80 SYN$/);
    const asked = packetsOf('uplink').map(({ what }) => what);
    for (const what of ['SYN', 'SYN-ACK', 'FIN', 'echo request', 'echo reply', 'query example.com', 'unreachable']) {
      assert.ok(asked.includes(what), what);
    }
  });

  it('that we write ourselves is read as it was written, an interface for each place', () => {
    const seen = sights();
    const written = Buffer.concat([pcapngHead(['ct1:eth0', 'br0', 'uplink']), ...seen.map(pcapngPacket)]);
    const { frames, problem } = readCapture(written, 1000);
    assert.equal(problem, null);
    assert.deepEqual(
      frames.map(({ bytes }) => bytes.toString('hex')),
      seen.map(({ frame }) => frame.toString('hex')),
    );
    assert.ok(frames.every(({ at }, n) => Math.abs(at - Number(seen[n]?.at)) < 1e-5));
  });

  it('that is none, is cut off or damaged gives what can be read of it and says so', () => {
    assert.equal(readCapture(Buffer.alloc(0), 9).problem, 'it is empty');
    assert.equal(readCapture(Buffer.from('x'.repeat(100)), 9).problem, 'it is no capture file');
    const whole = file('uplink');
    const half = readCapture(whole.subarray(0, 300), 1000);
    assert.equal(half.problem, 'it ends in the middle of a packet');
    assert.ok(half.frames.length > 0);
    assert.equal(readCapture(whole, 3).frames.length, 3);
    const long = Buffer.from(whole);
    long.writeUInt32LE(0x7fffffff, 32);
    assert.equal(readCapture(long, 9).problem, 'it is damaged');
  });

  it('may be any bytes: nothing throws, and nothing is read without bound', () => {
    const written = Buffer.concat([pcapngHead(['a', 'b', 'c']), ...sights().map(pcapngPacket)]);
    for (const whole of [...names.map(file), written]) {
      assertHolds(150, (draw) => {
        const bytes = Buffer.from(whole);
        for (let flip = draw(8); flip >= 0; flip -= 1) bytes[draw(bytes.length)] = draw(256);
        const { frames } = readCapture(bytes.subarray(0, draw(bytes.length) + 1), 50);
        assert.ok(frames.length <= 50);
        for (const frame of frames) parseFrame(frame.bytes, frame.link);
      });
    }
  });
});

describe('rows of a capture', () => {
  it('line the same packet up across places, with what was translated in between', () => {
    const rows = rowsOf(sights());
    const begin = Number(rows[0]?.sights[0]?.at);
    const text = rows.map((row) =>
      renderRow(row, { color: false, columns: 100, places, begin }).replaceAll(/:\d{5}/g, ':PORT'),
    );
    const syn = text.find((row) => row.includes(' SYN '));
    assert.match(
      syn ?? '',
      /198\.51\.100\.7:PORT > 203\.0\.113\.2:8080 +uplink in\n +198\.51\.100\.7:PORT > 172\.18\.0\.11:80 +br0 out, ct1:eth0 in$/,
    );
    const answer = text.find((row) => row.includes(' SYN-ACK '));
    assert.match(
      answer ?? '',
      /172\.18\.0\.11:80 > 198\.51\.100\.7:PORT +ct1:eth0 out, br0 in\n +203\.0\.113\.2:8080 > /,
    );
    const ping = text.find((row) => row.includes(' echo request '));
    assert.match(ping ?? '', /172\.18\.0\.11 > 93\.184\.216\.34 .*br0 in\n +203\.0\.113\.2 > 93\.184\.216\.34 +uplink/);
    // What the filter matches nowhere is not told: here ARP.
    assert.ok(!text.some((row) => row.includes('who-has')));
    const flow = rows.filter(({ sights: seen }) => seen[0]?.packet?.protocol === 'tcp');
    assert.ok(
      flow.every(({ sights: seen }) => seen.length === 3),
      'every packet of the flow was seen at each place',
    );
  });

  it('put what changed in bold, and are one line of JSON each for programs', () => {
    const row = rowsOf(sights()).find(({ sights: seen }) => seen[0]?.packet?.what === 'SYN') as Row;
    assert.match(
      renderRow(row, { color: true, columns: 100, places, begin: 0 }),
      /> \u001b\[1m172\.18\.0\.11:80\u001b\[22m/,
    );
    const { sights: seen, what } = ObservedPacket.parse(JSON.parse(renderRowJson(row, { places })));
    assert.equal(what, 'SYN');
    assert.deepEqual(
      seen.map(({ place }) => place),
      ['uplink', 'br0', 'ct1:eth0'],
    );
  });

  it('fit a terminal of 60 columns', () => {
    for (const row of rowsOf(sights())) {
      const lines = renderRow(row, { color: false, columns: 60, places, begin: 0 }).split('\n');
      for (const line of lines) assert.ok(line.length <= 60, line);
    }
  });

  it('keep a repetition apart from the first, and never hold more than a bounded number', () => {
    const [first] = sights().filter(({ packet }) => packet?.what === 'SYN');
    const again = { ...(first as Sight), at: (Number(first?.at) + 0.01).toFixed(9) };
    assert.equal(rowsOf([first as Sight, again]).length, 2);
    const lines = new Lines();
    let told = 0;
    for (let n = 0; n < 9000; n += 1) {
      told += lines.take({ ...again, packet: undefined, at: (1e9 + n / 1e6).toFixed(9) }).length;
    }
    assert.ok(told > 4000);
  });
});
