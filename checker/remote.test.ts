import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabError, run } from '@handwired/host';
import { type AgentProgram, readAgent, runRemote, unframe } from './remote.ts';
import { replaying, result } from './testing/fixtures.ts';
import { assertHolds, damageText } from './testing/random.ts';

const program = { program: 'experiments' as const, parameters: {}, timeoutMs: 1, maxBytes: 1 };

test('A frame is found behind noise, by its own nonce', () => {
  assert.deepEqual(unframe('welcome!\nabc 8\n{"a": 1}\nabc end\nbye', 'abc'), { a: 1 });
  assert.deepEqual(unframe('abc 9\n{"a":"ü"}'.replace('9', '10') + '\nabc end\n', 'abc'), { a: 'ü' });
});

test('A frame that is cut, forged, of another length or no JSON is none', () => {
  for (const text of [
    '',
    'abc 8\n{"a": 1}',
    'abc 8\n{"a": 1}\nabc en',
    'abc 7\n{"a": 1}\nabc end\n',
    'abc 99999999999999999\n{"a": 1}\nabc end\n',
    'xyz 8\n{"a": 1}\nxyz end\n',
    'abc 8\n{"a"; 1}\nabc end\n',
  ]) {
    assert.equal(unframe(text, 'abc'), undefined, text);
  }
});

test('No damage to a frame makes unframe throw', () => {
  const frame = 'abc 18\n{"a": ["x", "yyy"]}\nabc end\n';
  assertHolds(2000, (draw) => void unframe(damageText(frame, draw), 'abc'));
});

test('The answer is what the program framed', async () => {
  assert.deepEqual(
    await runRemote(
      replaying((kind) => ({ kind })),
      program,
    ),
    { kind: 'experiments' },
  );
});

test('No python3 and no answer are told apart', async () => {
  const answering = (code: number, stderr: string) => ({
    ...replaying(() => null),
    exec: () => Promise.resolve(result('', code, stderr)),
  });
  await assert.rejects(runRemote(answering(127, 'not found'), program), (error) => {
    assert.ok(error instanceof LabError);
    return /no \/usr\/bin\/python3/.test(error.message);
  });
  await assert.rejects(
    runRemote(answering(1, 'Traceback\nMemoryError'), program),
    /no whole answer \(exit 1: MemoryError\)/,
  );
});

const programs: AgentProgram[] = ['facts', 'experiments', 'trace', 'capture', 'watch'];

for (const program of programs) {
  test(`What is sent for ${program} is all that it imports`, async () => {
    const modules = await readAgent(program);
    // The loader is only started: a program's module is loaded, and its `main` is looked up, but not called.
    const loader = await run(['cat', new URL('../agent/loader.py', import.meta.url).pathname]);
    const script = loader.stdout.replace(/\.main\(sent\["parameters"\]\)/, '.main; print("loaded")');
    const input = JSON.stringify({ program: `agent.${program}`, modules, parameters: {} });
    const { stdout } = await run(['python3', '-ISB', '-c', script], { input: `${input}\n`, timeoutMs: 20_000 });
    assert.equal(stdout, 'loaded\n');
    assert.ok(!Object.keys(modules).some((name) => name.includes('test_')), 'no tests are sent');
  });
}
