import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '@handwired/host';

const source = fileURLToPath(new URL('program/57-servers.py', import.meta.url));

/** Runs Python after the definitions of what answers in a copy; the lines that it prints. */
async function python(program: string): Promise<string[]> {
  const start = `import os, selectors, socket, struct, sys, threading, time\nexec(open(sys.argv[1]).read())\n`;
  const { stdout } = await run(['python3', '-I', '-c', start + program, source], { timeoutMs: 20_000 });
  return stdout.trimEnd().split('\n');
}

/** A clock that goes on by one each time that it is asked, and a selector that ends the thread after 100 rounds. */
const harness = `
class Clock:
    now = 0
    def monotonic(self):
        Clock.now += 1
        return Clock.now
time = Clock()
class Rounds:
    left = 100
    ready = []
    def select(self, seconds):
        self.left -= 1
        if self.left == 0:
            raise SystemExit
        return self.ready
done = []
servers = Servers(None, {})
servers.selector = Rounds()
def go():
    try:
        servers.run()
    except SystemExit:
        pass
    print(*done)
`;

test('All that is put off is done, whenever its time comes', async () => {
  const lines = await python(`${harness}
servers.later = [(when, lambda when=when: done.append(when)) for when in range(0, 60, 3)]
servers.later.append((5, lambda: servers.later.append((10, lambda: done.append("again")))))
go()`);
  assert.deepEqual(
    lines[0]?.split(' ').sort(),
    [...Array.from({ length: 20 }, (_, index) => String(3 * index)), 'again'].sort(),
  );
});

test('Whatever goes wrong with one connection, the others are served', async () => {
  const lines = await python(`${harness}
def broken(*_):
    raise KeyError("a socket that nobody waits for")
class Key:
    def __init__(self, data):
        self.data = data
Rounds.ready = [(Key(broken), 1), (Key(lambda what: done.append(what)), 7)]
servers.later = [(1, broken), (2, lambda: done.append("later"))]
go()`);
  assert.deepEqual([...new Set(lines[0]?.split(' '))].sort(), ['7', 'later']);
});
