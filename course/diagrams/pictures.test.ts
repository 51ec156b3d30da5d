import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPlan, derivePlan, LabError, plannedTopology, type Topology, world } from '@handwired/host';
import { makeEgressFlow, type Flow, makeHairpinFlow, makeLoopbackFlow, type Place, makePublishFlow } from './flow.ts';
import { drawTopology, picture, type PictureForm, pictureNames, pictureTitle, renderDrawing } from './pictures.ts';

const plans = [defaultPlan, derivePlan('ada'), derivePlan('grace')];
const forms: PictureForm[] = ['text', 'plain', 'svg', 'mermaid'];
const linesOf = (text: string): string[] => text.split('\n');

test('Every picture is made from any plan in every form, and its text fits into 60 columns', () => {
  for (const plan of plans) {
    for (const name of pictureNames) {
      for (const form of forms) {
        const lines = linesOf(picture(name, plan, form));
        assert.ok(lines.length > 3, `${name} ${form}`);
        if (form === 'text' || form === 'plain') {
          for (const line of lines) assert.ok(line.length <= 60, `${name} ${form}: ${line}`);
        }
      }
      assert.match(pictureTitle(name, plan), /^\S.*[^.]$/);
    }
  }
});

test('The plain form is ASCII', () => {
  for (const name of pictureNames) assert.match(picture(name, defaultPlan, 'plain'), /^[\n\x20-\x7e]+$/, name);
});

test("Every form of the whole network has the plan's names and addresses, and no other address", () => {
  for (const plan of plans) {
    const names = [plan.bridge, plan.ct1.name, plan.ct2.name, plan.ct1.veth, plan.ct2.veth, world.uplink.name];
    const known = [
      ...[plan.gateway, plan.ct1.address, plan.ct2.address, plan.subnet.split('/')[0], plan.resolver],
      ...[
        world.uplink.address,
        world.uplink.gateway,
        world.lanPeer,
        world.outside,
        world.site.address,
        ...world.resolvers,
      ],
    ];
    for (const form of forms) {
      const text = picture('topology', plan, form);
      for (const name of names) assert.ok(text.includes(name), `${form} ${name}`);
      assert.deepEqual(new Set(text.match(/\b\d+\.\d+\.\d+\.\d+\b/g)), new Set(known), form);
      assert.ok(text.includes(String(plan.hostPort)));
    }
  }
});

test('A chapter adds to the picture of the one before', () => {
  const count = (name: string): number => picture(name, defaultPlan, 'plain').split('\n').length;
  const chapters = ['tour', 'namespaces', 'bridge', 'veth', 'addressing', 'topology'];
  for (const [at, name] of chapters.entries()) {
    if (at > 0) assert.ok(count(name) > count(chapters[at - 1] ?? ''), name);
  }
});

test('A picture that there is not is an error that names those that there are', () => {
  for (const name of ['nothing', 'constructor', '']) {
    assert.throws(
      () => picture(name, defaultPlan, 'text'),
      (error) => error instanceof LabError && /topology/.test(error.message),
    );
  }
});

const placesOf = ({ steps }: Flow): Place[] => steps.filter((step): step is Place => step.kind === 'place');
const at = (flow: Flow, device: string | null, way: 'there' | 'back'): string => {
  const found = placesOf(flow)
    .filter((place) => place.device === device)
    .at(-1)?.[way];
  return `${found?.source}:${found?.sourcePort} ${found?.destination}:${found?.destinationPort}`;
};

test('An answer has the addresses of its packet the other way round, at every place', () => {
  for (const flow of [makeEgressFlow, makePublishFlow, makeLoopbackFlow, makeHairpinFlow].map((of) =>
    of(defaultPlan),
  )) {
    for (const { there, back } of placesOf(flow)) {
      assert.deepEqual(
        [back.source, back.sourcePort, back.destination, back.destinationPort],
        [there.destination, there.destinationPort, there.source, there.sourcePort],
      );
    }
  }
});

test('Source and destination are translated where the reference says: on the uplink, not on the bridge', () => {
  const out = makeEgressFlow(defaultPlan);
  assert.equal(at(out, 'br0', 'there'), '172.18.0.11:40000 93.184.216.34:80');
  assert.equal(at(out, 'enp1s0', 'there'), '203.0.113.2:40000 93.184.216.34:80');
  assert.equal(at(out, 'br0', 'back'), '93.184.216.34:80 172.18.0.11:40000');
  const into = makePublishFlow(defaultPlan);
  assert.equal(at(into, 'enp1s0', 'there'), '198.51.100.7:40000 203.0.113.2:8080');
  assert.equal(at(into, 'eth0', 'there'), '198.51.100.7:40000 172.18.0.11:80');
  assert.equal(at(into, 'br0', 'back'), '172.18.0.11:80 198.51.100.7:40000');
  assert.equal(at(into, 'enp1s0', 'back'), '203.0.113.2:8080 198.51.100.7:40000');
});

/** Names that a lab host could give. */
const hostile = [
  '</text><script>x</script>',
  '"] --> evil["',
  '\u001b[31mred',
  'a\u202eb',
  '日本',
  '%% `x` **b**',
  '- 1. x',
  'x'.repeat(300),
];

function withNames(names: readonly string[]): Topology {
  const topology = plannedTopology(defaultPlan);
  for (const [n, name] of names.entries()) {
    topology.zones.push({
      ...{ id: `container ${n}`, kind: 'container', name, mark: 'extra', notes: [{ text: name, mark: 'wrong' }] },
      nodes: [{ id: `x${n}`, kind: 'veth', name, mark: null, addresses: [{ text: name, mark: 'missing' }], notes: [] }],
    });
  }
  return topology;
}

test('A name from a lab host stays a name, in every form', () => {
  for (const name of hostile) {
    for (const form of forms) {
      const text = renderDrawing(
        drawTopology(withNames([name])),
        form,
        { id: 'x', title: 'x' },
        { columns: 200, color: false },
      );
      assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/, `${form} ${name}`);
      if (form === 'svg' || form === 'mermaid') assert.doesNotMatch(text, /<script|--> evil\[/, `${form} ${name}`);
      if (form === 'mermaid') assert.doesNotMatch(text, /[`*%]/, name);
      const lines = linesOf(text);
      if (form === 'text') assert.equal(new Set(lines.slice(0, 6).map((line) => line.length)).size, 2, text);
    }
  }
});

test('More containers than a terminal is wide for are told as an outline, with their marks', () => {
  const text = renderDrawing(
    drawTopology(withNames(['a', 'b', 'c'])),
    'text',
    { id: 'x', title: 'x' },
    { columns: 60, color: false },
  );
  assert.match(text, /^a \(extra\)$/m);
  assert.match(text, /^ {4}a \(missing\)$/m);
});

test('What differs has a sign in the drawing, and the sign is explained', () => {
  const text = renderDrawing(
    drawTopology(withNames(['odd'])),
    'text',
    { id: 'x', title: 'x' },
    { columns: 100, color: false },
  );
  assert.match(text, /┌ \+ odd ─/);
  assert.match(text, /│ - odd │/);
  assert.match(text, /- missing {3}! wrong {3}\+ extra$/);
});
