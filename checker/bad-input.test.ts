import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPlan, type Endpoint, LabError, openSeat, type OpenSeat } from '@handwired/host';
import { gradeSource } from './grading/grade.ts';
import { emptyRecord } from './record.ts';
import { runRemote } from './remote.ts';
import type { Report } from './report/report.ts';
import { readCase, chapters, recorded, replaying } from './testing/fixtures.ts';

/** A seat whose programs are all this shell script: what a lab host may make of ours. */
const seatOf = (script: string): Promise<OpenSeat> => {
  const endpoint = { lab: 'lab', seat: { argv: ['sh', '-c', script], viewPid: 1 } } as Partial<Endpoint>;
  return openSeat(endpoint as Endpoint);
};

const gradeOf = (seat: OpenSeat, only?: 'bridge' | 'cleanup'): Promise<Report> => {
  const { baseline } = readCase('empty');
  const subject = { lab: 'lab', driver: 'sandbox' } as const;
  return gradeSource({ seat, ...subject, plan: defaultPlan, baseline, record: emptyRecord(), chapters, only });
};

/** Reads the parameters' line, as our program would, and says something with their nonce. */
const framed = (python: string): string =>
  `exec python3 -c 'import sys,json,os;n=json.loads(sys.stdin.readline())["parameters"]["nonce"];o=os.fdopen(1,"wb");${python}'`;

const answers: [what: string, script: string, why: RegExp][] = [
  ['nothing', 'exit 0', /sent no whole answer \(exit 0\)/],
  ['garbage', 'head -c 200000 /dev/urandom', /sent no whole answer/],
  ['half a frame', framed('o.write((n+" 1000\\n{\\"half").encode())'), /sent no whole answer/],
  [
    'a frame of invalid UTF-8',
    framed('o.write(n.encode()+b" 4\\n\\xff\\xfe\\xff\\xfe\\n"+n.encode()+b" end\\n")'),
    /no whole answer/,
  ],
  ['a frame of another shape', framed('o.write((n+" 2\\n{}\\n"+n+" end\\n").encode())'), /another shape/],
  ['a deep frame', framed('b="["*200000;o.write((n+" %d\\n"%len(b)+b+"\\n"+n+" end\\n").encode())'), /no whole answer/],
  ['1 GB', 'head -c 1000000000 /dev/zero', /more than \d+ bytes/],
  ['1 GB of errors', 'head -c 1000000000 /dev/zero >&2', /more than \d+ bytes/],
  ['its own death', 'kill -9 $$', /failed|no whole answer|signal/],
  ['no python3', 'echo "env: /usr/bin/python3: No such file or directory" >&2; exit 127', /no \/usr\/bin\/python3/],
  ['a crash', 'echo Traceback >&2; echo "MemoryError" >&2; exit 1', /exit 1: MemoryError/],
];

for (const [what, script, why] of answers) {
  test(`A lab host that answers ${what} is an error with its reason and the next command, and no verdict`, async () => {
    const before = process.memoryUsage().rss;
    const report = await gradeOf(await seatOf(script));
    assert.deepEqual([report.exit, report.summary.pass, report.summary.fail, report.summary.points], [3, 0, 0, null]);
    assert.ok(report.checks.length > 0);
    for (const { verdict, points, because } of report.checks) {
      assert.deepEqual([verdict, points], ['error', null]);
      assert.match(because ?? '', why);
      assert.match(because ?? '', /Next: lab /);
    }
    const grown = (process.memoryUsage().rss - before) / 2 ** 20;
    assert.ok(grown < 150, `${Math.round(grown)} MiB more`);
  });
}

test('A lab host that never answers is given up in time', async () => {
  const program = { program: 'facts' as const, parameters: {}, timeoutMs: 300, maxBytes: 1000 };
  await assert.rejects(runRemote(await seatOf('exec sleep 60'), program), (error) => {
    assert.ok(error instanceof LabError);
    return /had not ended after 0.3 s/.test(error.message) && error.next.startsWith('lab ');
  });
});

test('A lab host that dies between facts and experiments is in error, and what facts told is not graded either', async () => {
  const lost = new LabError({ what: 'the connection was lost', next: 'lab up' });
  const alive = replaying(() => recorded('right').raw);
  let trips = 0;
  const seat: OpenSeat = {
    ...alive,
    exec: (...args) => (trips++ === 0 ? alive.exec(...args) : Promise.reject(lost)),
  };
  const report = await gradeOf(seat);
  assert.deepEqual([report.exit, report.summary.pass, report.summary.points], [3, 0, null]);
});

test('A source without its kernel module or tool is an error of the checks that stand on it', async () => {
  for (const err of [
    'Error: Could not process rule: Operation not supported',
    "[Errno 2] No such file: '/usr/sbin/nft'",
  ]) {
    const seat = replaying((program) => {
      const { raw, evidence } = recorded('seed-cleaned');
      const nft = raw.sources.root?.nft;
      if (nft) Object.assign(nft, { code: err.startsWith('E') ? 1 : null, out: '', err });
      return program === 'facts' ? raw : evidence;
    });
    const { baseline, record } = readCase('empty');
    const subject = { lab: 'lab', driver: 'sandbox' } as const;
    const report = await gradeSource({
      seat,
      ...subject,
      plan: defaultPlan,
      baseline,
      record,
      chapters,
      only: 'cleanup',
    });
    const rules = report.checks.find(({ id }) => id === 'cleanup.rules');
    assert.deepEqual([rules?.verdict, rules?.points, report.exit, report.summary.points], ['error', null, 3, null]);
    assert.match(rules?.because ?? '', /nft/);
  }
});
