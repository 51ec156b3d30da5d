import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPlan, derivePlan } from '@handwired/host';
import { bridgeChapter } from '../testing/bridge.ts';
import { allBlocks, type Block, headings, toPlainText } from './guide.ts';
import { listGuideSteps, parseGuide } from './read.ts';

const steps = listGuideSteps(bridgeChapter, defaultPlan);

/** A whole guide of chapter bridge with this text in its steps. */
const parse = (text: string, plan = defaultPlan) => {
  const sections = Object.values(headings).map((title) => `## ${title}\n\n${title === 'Steps' ? text : 'Text.'}\n`);
  return parseGuide(sections.join('\n'), bridgeChapter, { plan, lab: 'demo', steps });
};

/** What stands in its steps; there must be no problem with it. */
const blocks = (text: string, plan = defaultPlan): readonly Block[] => {
  const { guide, problems } = parse(text, plan);
  assert.deepEqual(problems, []);
  return guide.sections.find(({ id }) => id === 'steps')?.blocks ?? [];
};

/** Lines of the guide before that text. */
const before = 10;

/** The one problem with it, its line counted in the text. */
const problem = (text: string): string => {
  const { problems } = parse(text);
  assert.equal(problems.length, 1, JSON.stringify(problems));
  return `${(problems[0]?.line ?? 0) - before}: ${problems[0]?.what}`;
};

test('A guide has its seven sections, in order, and no other', () => {
  assert.deepEqual(
    parse('Text.').guide.sections.map(({ title }) => title),
    Object.values(headings),
  );
  assert.match(problem('## Aside\n\nText.'), /^1: not a heading of a guide: ## Aside$/);
  const { problems } = parseGuide('Hello.\n\n## The idea\n', bridgeChapter, {
    plan: defaultPlan,
    lab: 'demo',
    steps,
  });
  assert.deepEqual(
    problems.map(({ what }) => what.split(',')[0]),
    ['text before the first heading', 'a guide has each of these headings once'],
  );
});

test('Values of the plan, the world and the lab stand wherever they are named', () => {
  const text =
    'From {{plan.ct1.address}} by {{ world.uplink.name }} of {{lab}} to {{world.resolvers.0}}: `{{.State.Pid}}`';
  const [block] = blocks(text, derivePlan('someone'));
  assert.ok(block?.kind === 'text');
  const { address } = derivePlan('someone').ct1;
  assert.equal(toPlainText(block.inlines), `From ${address} by enp1s0 of demo to 8.8.8.8: {{.State.Pid}}`);
});

test('A value that does not exist is a problem, also in a fence, and so is a path that stops on the way', () => {
  assert.equal(problem('a\n\nb {{plan.brigde}}'), '3: no value is called {{plan.brigde}}');
  assert.equal(problem('```sh\n{{plan.ct1}}\n```'), '2: no value is called {{plan.ct1}}');
  assert.equal(problem('{{plan.constructor}}'), '1: no value is called {{plan.constructor}}');
});

test('A step brings its own texts and commands with the values of the plan', () => {
  const [step] = blocks('::step{address}\n\n```see\nnothing\n```');
  assert.ok(step?.kind === 'step');
  assert.deepEqual(step.step.commands, ['ip addr add 172.18.0.1/16 dev br0']);
  assert.equal(step.see, 'nothing');
  assert.match(problem('::step{adress}'), /^1: the chapter has no step 'adress'; its steps: add address up$/);
});

test('A command fence knows where it is typed, how it ends and what one should see', () => {
  const [first, second, third] = blocks(
    '```sh fails\nfalse\n```\n```see\n```\n\n```lab\nlab check\n```\n\n```sh quiet\nls\n```\n',
  );
  assert.deepEqual(first, {
    kind: 'command',
    where: 'lab host',
    text: 'false',
    ends: 'fails',
    quiet: false,
    see: '',
    line: before + 1,
  });
  assert.ok(second?.kind === 'command' && third?.kind === 'command');
  assert.deepEqual([second.where, second.see, third.quiet], ['own machine', undefined, true]);
});

test('What is written in a fence that is not ours is shown and not run', () => {
  const [shown] = blocks('```console-log\n$ ls\n```');
  assert.deepEqual(shown, { kind: 'code', language: 'console-log', text: '$ ls' });
});

test('Fences that would not do what they look like are problems', () => {
  assert.equal(problem('```see\nx\n```'), '1: a see fence stands right after sh, lab or ::step');
  assert.match(problem('```sh\nls\n```\n\nText.\n\n```see\nx\n```'), /^7: a see fence stands right after/);
  assert.match(problem('```sh\nls\n```\n```see\n```\n```see\n```'), /^6: a second see fence/);
  assert.match(problem('```sh quiet\nls\n```\n```see\n```'), /^4: a see fence after quiet commands/);
  assert.match(problem('```sh qiuet\nls\n```'), /^1: sh takes fails and quiet, not qiuet$/);
  assert.match(problem('```bash\nls\n```'), /^1: commands stand in a fence of sh or lab, not bash$/);
  assert.match(problem('```sh\n\n```'), /^1: sh without a command$/);
  assert.match(problem('    ls'), /^1: text that is indented by four is code/);
});

test('A fence that is not closed, and lines that only look like ours, are problems', () => {
  const { problems } = parse('```sh\nls');
  assert.ok(problems.some(({ what }) => what === 'a fence that is not closed: ```sh'));
  assert.match(problem('::steps{add}'), /^1: not a :: line of ours: ::steps\{add\}$/);
  assert.match(problem(':: step{add}'), /^1: not a :: line of ours/);
  assert.match(problem('::step{add} and more'), /^1: not a :: line of ours/);
  assert.match(problem('<!-- later -->'), /^1: a guide has no html: <!-- later -->$/);
});

test('Commands inside a list are found, in the order in which they are read', () => {
  const found = allBlocks(
    blocks('1. First\n\n   ```sh\n   ls\n   ```\n\n   ```see\n   x\n   ```\n2. Second\n\n   ::step{up}\n'),
  );
  assert.deepEqual(
    found.flatMap((block) => (block.kind === 'command' ? [block.text, block.see] : [])),
    ['ls', 'x'],
  );
  assert.equal(found.at(-1)?.kind, 'step');
});
