import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { defaultPlan } from '@handwired/host';
import { chapterOf } from '../run.ts';
import { headings } from './guide.ts';
import { stepsOf } from './load.ts';
import { parseGuide } from './parse.ts';
import { summaryLines, summaryOf } from './summary.ts';
import { guideLines } from './terminal.ts';

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
const steps = await stepsOf('bridge', { plan: defaultPlan });
const { guide, problems } = parseGuide(whole.join('\n'), chapterOf('bridge'), {
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

test('The whole on one screen has each chapter that builds something, in its order, within the terminal', async () => {
  const entries = await summaryOf();
  const built = ['namespaces', 'bridge', 'veth', 'addressing', 'connectivity', 'egress', 'dns', 'publish'];
  assert.deepEqual([...new Set(entries.map(({ chapter }) => chapter))], built);
  for (const columns of [60, 80, 140]) {
    const lines = await summaryLines({ columns, color: false, plain: false, plan: defaultPlan });
    assert.deepEqual(
      lines.filter((line) => line.length > columns),
      [],
    );
    assert.ok(lines.length <= (columns < 80 ? 64 : 42), String(lines.length));
  }
});
