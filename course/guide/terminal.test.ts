import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { defaultPlan } from '@handwired/host';
import { bridgeChapter } from '../testing/bridge.ts';
import { headings } from './guide.ts';
import { listGuideSteps, parseGuide } from './read.ts';
import { foldCommand, foldCommands, foldOutput, foldPath, guideLines, wrapText } from './terminal.ts';

const text = `A **bridge** is a switch in the kernel, and the host is one of its stations (\`{{plan.bridge}}\`), which takes more than one line.

| what | where |
| --- | --- |
| *frames* | in the bridge, which is a longer cell than the terminal is wide, so this is no table there |

::step{add}

\`\`\`sh
iptables -t nat -A POSTROUTING -s {{plan.subnet}} ! -o {{plan.bridge}} -m comment --comment handwired -j MASQUERADE
\`\`\`

\`\`\`sh fails
ip link add name {{plan.bridge}} type bridge
\`\`\`

\`\`\`see
RTNETLINK answers: …
...
\`\`\`

\`\`\`lab
lab check --chapter bridge
\`\`\`

> Said by the way.

1. First

   More of it.
2. Second
`;
const whole = Object.values(headings).map((title) => `## ${title}\n\n${title === 'Steps' ? text : 'Text.'}\n`);
const steps = listGuideSteps(bridgeChapter, defaultPlan);
const { guide, problems } = parseGuide(whole.join('\n'), bridgeChapter, {
  plan: defaultPlan,
  lab: 'demo',
  steps,
});

const shown = { plan: defaultPlan, subtitle: 'with the values of lab demo', next: ['next: lab guide veth'] };
const render = (look: Partial<Parameters<typeof guideLines>[1]>): string =>
  guideLines(guide, { ...shown, columns: 80, color: false, plain: false, ...look }).join('\n');

test('The guide of this test is a right one', () => assert.deepEqual(problems, []));

test('No line is wider than the terminal, in colour or not, and none has blanks at its end', () => {
  for (const columns of [60, 72, 80, 200])
    for (const color of [false, true]) {
      const lines = stripVTControlCharacters(render({ columns, color })).split('\n');
      assert.deepEqual(
        lines.filter((line) => line.length > Math.min(columns, 92) || line !== line.trimEnd()),
        [],
      );
    }
});

test('Without colour there is no escape sequence, and code is known by its backquotes', () => {
  const lines = render({});
  assert.equal(stripVTControlCharacters(lines), lines);
  assert.match(lines, /its stations\n {2}\(`br0`\), which/);
  const words = (text: string): string => stripVTControlCharacters(text).replaceAll(/[`\s]+/g, ' ');
  assert.equal(
    words(render({ color: true })).replaceAll('( br0 )', '(br0)'),
    words(lines).replaceAll('( br0 )', '(br0)'),
  );
});

test('For a screen reader all is ASCII in words: nothing drawn, no colour, each section with its place', () => {
  const lines = render({ plain: true, color: true });
  assert.match(lines, /^[\n\x20-\x7e]*$/);
  assert.match(lines, /^Section 3 of 7: Steps$/m);
  assert.match(lines, /^ {2}Step: Make a bridge/m);
  assert.match(lines, /^ {2}- what: frames\n {4}where: in the bridge/m);
});

test('What stands for any text or any lines is said once, for a screen reader in words', () => {
  assert.match(render({}), /^in what you should see, … may be any text, ... any lines$/m);
  assert.match(render({ plain: true }), /answers: <any text>\n {8}<any lines>$/m);
});

test('A learner is told where to type, whether it fails, and what to see', () => {
  const lines = render({});
  assert.match(lines, /type on the lab host:\n {8}ip link add name br0 address/);
  assert.match(lines, /-j MASQUERADE\n {4}it prints nothing\n/);
  assert.match(lines, /type on the lab host; it will fail:\n.*\n {4}you should see:\n {8}RTNETLINK answers: …\n/);
  assert.match(lines, /type on your own machine:\n {8}lab check --chapter bridge\n/);
});

const command =
  "iptables -t raw -A PREROUTING -d 172.18.0.11 ! -i br0 -m comment --comment 'by hand' -j DROP | tail -n 1";

test('A command that is too long goes on over lines that a shell reads as one', () => {
  for (let columns = 40; columns < 120; columns += 1) {
    const lines = foldCommand(command, columns);
    assert.ok(
      lines.every((line) => line.length <= columns),
      lines.join('\n'),
    );
    assert.equal(lines.join('\n').replaceAll(/ \\\n */g, ' '), command);
  }
});

test('It is folded before a pipe or an option, never in quotes or between ! and its option', () => {
  assert.deepEqual(foldCommand(command, 60), [
    'iptables -t raw -A PREROUTING -d 172.18.0.11 ! -i br0 \\',
    "    -m comment --comment 'by hand' -j DROP | tail -n 1",
  ]);
  assert.deepEqual(foldCommand("echo 'a b c d e f g h i j k l m n'", 20), [
    'echo \\',
    "    'a b c d e f g h i j k l m n'",
  ]);
});

test('Comments and here documents stay as they are', () => {
  const long = `# ${'word '.repeat(20).trim()}`;
  assert.deepEqual(foldCommand(long, 40), [long]);
  const here = `cat <<EOF > file\n${'word '.repeat(20).trim()}\nEOF`;
  assert.deepEqual(foldCommands(here, 40), here.split('\n'));
});

test('Output keeps its blanks, and what is too long goes on further to the right', () => {
  assert.deepEqual(foldOutput('  a   b', 20), ['  a   b']);
  assert.deepEqual(foldOutput('    inet 172.18.0.1/16 scope global br0', 24), [
    '    inet',
    '    172.18.0.1/16 scope',
    '    global br0',
  ]);
});

test('A path is folded behind a slash, text at blanks', () => {
  assert.deepEqual(foldPath('daemon/libnetwork/osl/interface_linux.go: moveLink', 30), [
    'daemon/libnetwork/osl/',
    'interface_linux.go: moveLink',
  ]);
  assert.deepEqual(wrapText('one two three', 12, '- '), ['- one two', '  three']);
});
