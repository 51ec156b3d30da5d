import assert from 'node:assert/strict';
import { test } from 'node:test';
import { translateRule } from '@handwired/course';
import { type ChapterId, chapterIds, defaultPlan, derivePlan, run } from '@handwired/host';
import { chapters } from './chapters.ts';
import { exportScript, record } from './index.ts';

const network = chapterIds.slice(chapterIds.indexOf('namespaces'), chapterIds.indexOf('publish') + 1);

/** Runs the script with bash, no root needed: it must not come to that. */
const bash = async (script: string, ...flags: string[]) =>
  run(['bash', '-s', '--', ...flags], { input: script, allowFailure: true });

test('The script is clean for shellcheck, with firewall rules in it and without', async () => {
  for (const input of [await exportScript(defaultPlan, 'bridge'), await exportScript(derivePlan('someone'))]) {
    const { code, stdout } = await run(['shellcheck', '-'], { input, allowFailure: true, next: 'make setup' });
    assert.equal(code, 0, stdout);
  }
});

test('It names nothing of ours: no program, no folder, no mark', async () => {
  assert.doesNotMatch(await exportScript(defaultPlan), /handwired|\blab\b|@\w+@/);
});

test('A dry run prints the commands of the chapters, in their order, and runs none', async () => {
  const { code, stdout, stderr } = await bash(await exportScript(defaultPlan), '--dry-run', '--firewall', 'iptables');
  assert.equal(code, 0, stderr);
  const forward = (stdout.split('--- and back:')[0] ?? '').split('\n').filter((line) => line.startsWith('    '));
  const steps = record('build', defaultPlan, network);
  assert.deepEqual(
    forward.map((line) => line.trim()),
    steps.flatMap(({ commands }) =>
      commands.map(({ run: { cmd } }) => cmd.replace('comment handwired', 'comment by-hand')),
    ),
  );
});

test('Where there is no iptables, each rule is one of nft, and the way back removes their table', async () => {
  const { stdout } = await bash(await exportScript(defaultPlan), '--dry-run', '--firewall', 'nft');
  assert.doesNotMatch(stdout, /iptables/);
  const rules = record('build', defaultPlan, network)
    .flatMap(({ commands }) => commands.map(({ run: { cmd } }) => cmd))
    .filter((cmd) => cmd.startsWith('iptables'))
    .map((cmd) => translateRule(cmd))
    .map(({ chain, words }) => `${chain} ${words.join(' ')}`);
  const added = [...stdout.matchAll(/^ {4}nft add rule ip by_hand (.*) comment .*$/gm)].map(([, rule]) => rule);
  assert.deepEqual(added, rules);
  assert.match(stdout, /--- and back:\n {4}nft delete table ip by_hand\n/);
});

test('Through a chapter is what comes up to it; what comes after the network adds nothing', async () => {
  const through = async (id: ChapterId): Promise<string> =>
    (await bash(await exportScript(defaultPlan, id), '--dry-run')).stdout;
  const bridge = await through('bridge');
  assert.match(bridge, /ip link set br0 up\n--- and back:/);
  assert.doesNotMatch(bridge, /veth|iptables|nft/);
  for (const id of chapters.map((chapter) => chapter.id).slice(chapterIds.indexOf('observe')))
    assert.equal(await exportScript(defaultPlan, id), await exportScript(defaultPlan));
});

test('Through a chapter that builds nothing there is no script', () =>
  assert.rejects(exportScript(defaultPlan, 'tour'), { name: 'LabError', next: 'lab export --through namespaces' }));

test("A student's script has the student's values", async () => {
  const plan = derivePlan('someone');
  const script = await exportScript(plan);
  assert.ok(script.includes(`subnet=${plan.subnet}\n`) && script.includes(`port=${plan.hostPort}\n`));
  assert.doesNotMatch(script, /172\.18\.|8080/);
});

test('A script that begins is one whose flags it knows', async () => {
  const script = await exportScript(defaultPlan);
  for (const [flags, code, said] of [
    [['--help'], 0, /^A container network.*--dry-run/s],
    [['--nosuch'], 64, /unknown option --nosuch/],
    [['--firewall'], 64, /--firewall wants iptables or nft/],
    [['--firewall', 'ufw'], 64, /--firewall wants iptables or nft/],
    [['--keep', '--remove'], 64, /--keep or --remove, not both/],
  ] as const) {
    const ended = await bash(script, ...flags);
    assert.equal(ended.code, code, flags.join(' '));
    assert.match(ended.stdout + ended.stderr, said);
  }
});

test('Every program that it calls is one of every Linux, or one that it looks for first', async () => {
  const script = await exportScript(defaultPlan);
  const known = new Set(script.matchAll(/^ {2}\[(\w+)\]=/gm).map(([, tool]) => tool));
  const basic = 'test rm mkdir rmdir cat echo cp mv grep sed iptables kill';
  for (const way of ['build', 'undo'] as const) {
    for (const { commands } of record(way, defaultPlan, network)) {
      for (const { run } of commands) {
        const tool = run.cmd.split(' ')[0] ?? '';
        assert.ok(known.has(tool) || basic.split(' ').includes(tool), run.cmd);
      }
    }
  }
});
