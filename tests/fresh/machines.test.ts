/**
 * Machines that have nothing of ours: README is typed there, from its two commands to its uninstall, and after it the
 * disk is as it was. HANDWIRED_FRESH=all (`make test-fresh`) takes every machine of entries.ts, else those of `make test`.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { root as checkout } from '../../scripts/files.ts';
import { drawnBy, drawNumber } from '../draw.ts';
import { entries } from './entries.ts';
import { compareListings, listRoot } from './listing.ts';
import { FreshMachine, type Outcome, type Typing } from './machine.ts';
import { suites } from './suites.ts';

const skip = process.getuid?.() === 0 ? false : 'roots are made and entered by root only';
const all = process.env.HANDWIRED_FRESH === 'all';
const kills = Number(process.env.HANDWIRED_FRESH_KILLS ?? (all ? 20 : 0));

/** The commands of README's section on how to uninstall. */
const uninstall = /## Uninstall\n+```sh\n(.*?)```/s.exec(readFileSync(join(checkout, 'README.md'), 'utf8'))?.[1] ?? '';
const withPath = 'export PATH="$PWD/node_modules/.bin:$PATH"\n';

/** One line of what came of a command. */
const tell = ({ code, seconds, disk: { peak, end } }: Outcome): string =>
  `${code} after ${seconds.toFixed(0)} s; disk ${(peak / 1e9).toFixed(2)} GB at the most, ${(end / 1e9).toFixed(2)} GB at its end`;

const tail = (text: string): string => text.split('\n').slice(-40).join('\n');

/** The next command of what was printed, without the remark behind it. */
function findNext(text: string): string | undefined {
  const end = text.split('\n').slice(-8).join('\n');
  return Array.from(end.matchAll(/(?:^ *next:|Next:) +(.+?)(?: {3}\(.*\))?$/gm), ([, command = '']) => command).at(-1);
}

/** Types a line. If it ends with a next command, types that, and the line again, which then has to work. */
async function typeUntilDone(machine: FreshMachine, line: string, typing: Typing, t: TestContext): Promise<void> {
  let done = await machine.type(line, typing);
  t.diagnostic(`${line}: ${tell(done)}`);
  if (done.code !== 0) {
    const next = findNext(done.text);
    assert.ok(next !== undefined, `'${line}' ended with ${done.code} and no next command:\n${tail(done.text)}`);
    const mended = await machine.type(`${withPath}${next}`, typing);
    assert.equal(mended.code, 0, `the next command '${next}' does not work:\n${tail(mended.text)}`);
    done = await machine.type(line, typing);
    t.diagnostic(`${line}, after '${next}': ${tell(done)}`);
  }
  assert.equal(done.code, 0, tail(done.text));
}

/**
 * Types a line as a plain user, and lets an administrator type each `sudo` that it asks for, until it asks for no more.
 * What such a refusal leaves is uninstalled, so that only the administrator's gifts stay.
 */
async function typeUntilGiven(machine: FreshMachine, line: string, t: TestContext): Promise<void> {
  for (let refusals = 0; refusals < 4; refusals += 1) {
    const asked = await machine.type(line);
    t.diagnostic(`${line}: ${tell(asked)}`);
    const next = findNext(asked.text);
    if (asked.code === 0 || next === undefined || !/\bsudo /.test(next)) break;
    const given = await machine.type(next.replaceAll(/\bsudo /g, ''), { asRoot: true });
    assert.equal(given.code, 0, `the next command '${next}' does not work:\n${tail(given.text)}`);
  }
  await typeUninstall(machine);
}

/** Types README's uninstall, and the command that it prints for the packages. */
async function typeUninstall(machine: FreshMachine): Promise<void> {
  const cleaned = await machine.type(withPath + uninstall);
  assert.equal(cleaned.code, 0, tail(cleaned.text));
  const purge = /^ +((?:env \S+ )?apt-get purge .*)$/m.exec(cleaned.text)?.[1];
  if (purge === undefined) return;
  const purged: Outcome = await machine.type(purge);
  assert.equal(purged.code, 0, tail(purged.text));
}

describe('a machine that has nothing of ours', { skip, concurrency: false }, () => {
  it('shows one file that an uninstall would leave', async () => {
    const machine = await FreshMachine.make(suites.trixie);
    try {
      const before = await listRoot(machine.root);
      assert.deepEqual(compareListings(before, await listRoot(machine.root)), []);
      await writeFile(join(machine.root, 'root/.leftover'), 'x');
      await writeFile(join(machine.root, 'etc/hostname'), 'a longer name than before');
      const left = compareListings(before, await listRoot(machine.root));
      assert.equal(left.length, 2, left.join('\n'));
      assert.equal(left[0], '+ /root/.leftover');
      assert.match(left[1] ?? '', /^~ \/etc\/hostname: file of \d+ bytes, now file of 25 bytes$/);
    } finally {
      await machine.remove();
    }
  });

  for (const { title, suite, circumstances, given, lines, always } of entries) {
    it(title, { skip: !all && always !== true && 'for make test-fresh' }, async (t) => {
      const machine = await FreshMachine.make(suite, circumstances);
      try {
        if (given !== undefined) await typeUntilGiven(machine, given, t);
        const before = await listRoot(machine.root);
        for (const { line, again } of lines) {
          await typeUntilDone(machine, line, {}, t);
          if (again) await typeUntilDone(machine, line, again, t);
        }
        await typeUninstall(machine);
        assert.deepEqual(compareListings(before, await listRoot(machine.root)), []);
      } finally {
        await machine.remove();
      }
    });
  }

  it(`set-up that ${kills} times loses its power ends well at the next try`, { skip: kills === 0 }, async (t) => {
    const line = 'make deps && node_modules/.bin/lab setup sandbox';
    t.diagnostic(`drawn by ${drawnBy}`);
    const machine = await FreshMachine.make(suites.trixie);
    const whole = await machine.type(line);
    assert.equal(whole.code, 0, tail(whole.text));
    await machine.remove();
    for (let index = 0; index < kills; index += 1) {
      const killed = await FreshMachine.make(suites.trixie);
      try {
        const before = await listRoot(killed.root);
        const killAfterMs = Math.round(drawNumber(`kill ${index}`) * whole.seconds * 1000);
        t.diagnostic(`killed after ${killAfterMs} ms`);
        await killed.type(line, { killAfterMs });
        const next = await killed.type(line);
        assert.equal(next.code, 0, `killed after ${killAfterMs} ms:\n${tail(next.text)}`);
        await typeUninstall(killed);
        assert.deepEqual(compareListings(before, await listRoot(killed.root)), []);
      } finally {
        await killed.remove();
      }
    }
  });
});
