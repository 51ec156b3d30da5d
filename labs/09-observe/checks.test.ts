import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type Knock, parseAnswers, parseCaptures, parseKnocks } from '../../checker/facts/work.ts';
import { findBegun } from '../../checker/queries/chapters.ts';
import type { Case, Check } from '../../checker/queries/check.ts';
import { readCase } from '../../checker/testing/fixtures.ts';
import { gradedChapters } from '../checks.ts';
import { grading, questions } from './checks.ts';

const [capture, answers] = grading.checks as unknown as [Check, Check];

const bytes = (name: string): Buffer =>
  readFileSync(new URL(`../../checker/fixtures/captures/${name}.pcap`, import.meta.url));
const handedIn = (data: Buffer | null, path = '/root/captures/a.pcap') =>
  parseCaptures([{ path, cut: false, data: data === null ? null : data.toString('base64') }]);

/** The source port of the connection in the recorded captures. */
const port = handedIn(bytes('uplink'))[0]?.handshakes[0]?.sourcePort ?? 0;
const knock: Knock = { at: 1, source: '198.51.100.7', sourcePort: port, targetPort: 8080, came: 'HTTP/1.0 200 OK' };

function withCaptures(names: string[], knocks: Knock[] | null = [knock]): Case {
  const lab = readCase('right');
  lab.facts.captures = names.flatMap((name) => handedIn(bytes(name), `/root/captures/${name}.pcap`));
  lab.facts.world.knocks = knocks;
  return lab;
}

/** As somebody writes them who looked: the first of the three with ports as tcpdump prints them. */
const right = `
# what I saw
in-uplink: 198.51.100.7.40000 > 203.0.113.2.8080
in-bridge: 198.51.100.7 -> 172.18.0.11:80
In-ct1 : 198.51.100.7:1234 to 172.18.0.11:80
back-ct1: 172.18.0.11:80 > 198.51.100.7:40000
back-bridge: 172.18.0.11 > 198.51.100.7
back-uplink: 203.0.113.2:8080 > 198.51.100.7
out-ct1: 172.18.0.11 > 93.184.216.34:80
out-bridge: 172.18.0.11 > 93.184.216.34
out-uplink: from 203.0.113.2 to 93.184.216.34.
`;

function withAnswers(text: string, path = '/root/answers/observe.txt'): Case {
  const lab = readCase('right');
  lab.facts.answers = parseAnswers([{ path, text }]);
  return lab;
}

/** The verdict, what is told of it and its hint. */
function told(check: Check, lab: Case): string {
  const { verdict, ...rest } = check.judge(lab);
  return `${verdict} ${JSON.stringify(rest)}`;
}

describe('observe.capture', () => {
  it('passes with the SYN and its answer before and after the translation, in one file or in several', () => {
    for (const names of [['uplink', 'ct1'], ['uplink', 'br0'], ['any'], ['any-sll']]) {
      assert.match(
        told(capture, withCaptures(names)),
        /^pass .*203\.0\.113\.2:8080; .*172\.18\.0\.11:80; /,
        names.join(),
      );
    }
    assert.match(told(capture, withCaptures(['any'], null)), /^pass .*no log to compare/);
  });

  it('fails with what is missing, and of which packet', () => {
    const cases: [what: Case, told: RegExp][] = [
      [withCaptures([]), /^fail .*no capture file/],
      [
        withCaptures(['uplink']),
        /^fail .*missing: the same SYN on its way into ct1, to 172\.18\.0\.11:80; the SYN-ACK/,
      ],
      [withCaptures(['ct1', 'br0']), /^fail .*no SYN to 203\.0\.113\.2:8080/],
      [withCaptures(['any'], []), /^fail .*missing: a knock that the world's log knows of"/],
      [withCaptures(['any'], [{ ...knock, sourcePort: port + 1 }]), /^fail .*a knock that/],
    ];
    for (const [lab, wanted] of cases) assert.match(told(capture, lab), wanted);
  });

  it('takes no connection of the proxy`s own for the one that was translated', () => {
    const lab = withCaptures(['uplink', 'ct1']);
    for (const one of lab.facts.captures?.[1]?.handshakes ?? []) one.sequence += 7;
    assert.match(told(capture, lab), /^fail .*the same SYN on its way into ct1.*a proxy's own connection/);
  });

  it('says of a file that is none, cut off or damaged what is wrong with it', () => {
    const lab = withCaptures([]);
    lab.facts.captures = [
      ...handedIn(Buffer.from('x'.repeat(90))),
      ...handedIn(bytes('uplink').subarray(0, 500)),
      ...handedIn(null),
    ];
    assert.match(
      told(capture, lab),
      /^fail .*it is no capture file.*in the middle of a packet.*no file that can be read/,
    );
  });
});

describe('observe.answers', () => {
  it('passes with each address right, however it is written, with or without ports', () => {
    assert.match(told(answers, withAnswers(right)), /^pass .*9 of 9 right/);
  });

  it('fails for each wrong answer, names it, and never says what is right', () => {
    for (const { key } of questions) {
      const line = new RegExp(`^${key} ?:.*$`, 'mi');
      assert.match(
        told(answers, withAnswers(right.replace(line, ''))),
        new RegExp(`^fail .*8 of 9.*${key}: no answer`),
        key,
      );
      const wrong = told(answers, withAnswers(right.replace(line, `${key}: 10.0.0.1 > 10.0.0.2`)));
      assert.match(wrong, new RegExp(`^fail .*${key}: not '10\\.0\\.0\\.1 > 10\\.0\\.0\\.2'`));
      assert.doesNotMatch(wrong, /172\.18|203\.0\.113|93\.184/);
    }
    const swapped = right.replace('203.0.113.2:8080 > 198.51.100.7', '172.18.0.11:80 > 198.51.100.7');
    assert.match(told(answers, withAnswers(swapped)), /^fail .*back-uplink: not/);
    assert.match(told(answers, withAnswers(right.replace('.8080', '.8081'))), /^fail .*in-uplink: not/);
  });

  it('gets no answers from anything that is no list of them', () => {
    for (const text of [
      '',
      'in-uplink',
      ': :',
      'x'.repeat(8000),
      '1.2.3.4 > 5.6.7.8\n'.repeat(400),
      'in-uplink: 1.2.3.4 > 1.2.3.4 > 1.2.3.4',
    ]) {
      assert.match(told(answers, withAnswers(text)), /^fail .*0 of 9 right/);
    }
    assert.match(told(answers, withAnswers(right, '/root/answers/other.txt')), /^fail .*0 of 9/);
  });

  it('blames nobody for packets that we did not see', () => {
    const lab = withAnswers(right);
    lab.evidence.over = true;
    lab.evidence.seen = lab.evidence.seen.filter(({ device }) => device !== 'br0');
    assert.match(told(answers, lab), /^error /);
  });
});

describe('chapter observe', () => {
  it('is begun once something was handed in', () => {
    const chapters = (lab: Case): string[] => findBegun(gradedChapters, lab);
    assert.ok(!chapters(readCase('right')).includes('observe'));
    assert.ok(chapters(withCaptures(['any'])).includes('observe'));
    assert.ok(chapters(withAnswers(right)).includes('observe'));
    assert.ok(!chapters(withAnswers(right, '/root/answers/docker.txt')).includes('observe'));
  });

  it('knows knocks only from lines that are some', () => {
    const line = {
      t: 1.5,
      kind: 'knock',
      src: '198.51.100.7',
      sport: port,
      dst: '203.0.113.2',
      dport: 8080,
      came: 'x',
    };
    const lines = [JSON.stringify(line), '{"kind": "knock"}', 'knock', JSON.stringify({ ...line, sport: '1' })];
    assert.deepEqual(parseKnocks(lines), [{ ...knock, at: 1.5, came: 'x' }]);
  });
});
