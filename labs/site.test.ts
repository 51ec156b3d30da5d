import assert from 'node:assert/strict';
import { test } from 'node:test';
import MiniSearch from 'minisearch';
import { defaultPlan, derivePlan, dockerHost, type Plan, world } from '@handwired/host';
import { chapters } from './chapters.ts';
import { pictureNames, makeSite } from './index.ts';

const made = (plan: Plan): Promise<Map<string, string>> =>
  makeSite({ plan, lab: 'demo', subtitle: 'With <these> values.' });
const site = await made(defaultPlan);
const pages = new Map([...site].filter(([name]) => name.endsWith('.html')));
const all = (pattern: RegExp, text: string): string[] => [...text.matchAll(pattern)].map(([, found = '']) => found);

test('Every chapter has a page, and the first page leads to each', () => {
  const linked = new Set(all(/href="(\d\d-[a-z]+\.html)"/g, pages.get('index.html') ?? ''));
  const there = chapters.map(({ number, id }) => `${number}-${id}.html`);
  assert.deepEqual([...linked].toSorted(), there.toSorted());
  for (const name of there) assert.ok(pages.has(name), name);
});

test('Every link leads to a page that there is, and to a part that it has', () => {
  const ids = new Map([...pages].map(([name, html]) => [name, all(/ id="([^"]+)"/g, html)]));
  for (const [name, html] of pages) {
    assert.equal(new Set(ids.get(name)).size, ids.get(name)?.length, `${name} has an id twice`);
    for (const href of all(/ href="([^"]*)"/g, html)) {
      if (/^(https?:|data:)/.test(href)) continue;
      const [file = '', part] = href.split('#');
      assert.ok(site.has(file === '' ? name : file), `${name}: ${href}`);
      if (part !== undefined) assert.ok(ids.get(file === '' ? name : file)?.includes(part), `${name}: ${href}`);
    }
    for (const src of all(/ src="([^"]*)"/g, html)) assert.ok(site.has(src), `${name}: ${src}`);
    for (const label of all(/ (?:aria-labelledby|aria-describedby|for)="([^"]+)"/g, html)) {
      for (const id of label.split(' ')) assert.ok(ids.get(name)?.includes(id), `${name}: ${id}`);
    }
  }
});

test('A page needs nothing that a browser refuses to one that is opened as a file', () => {
  for (const [name, html] of pages) {
    assert.doesNotMatch(html, /type="module"|\bfetch\(|XMLHttpRequest|@import|<(iframe|object|embed)\b/, name);
    assert.deepEqual(all(/<(?:script|img|link)[^>]* (?:src|href)="(https?:[^"]*)"/g, html), [], name);
  }
  assert.doesNotMatch(site.get('site.js') ?? '', /\bfetch\(|\bimport\b/);
});

test("The labels of each picture are the plan's, on a page of another plan too", async () => {
  for (const plan of [defaultPlan, derivePlan('ada')]) {
    const own = plan === defaultPlan ? site : await made(plan);
    const known = new Set<string>([
      ...[
        plan.gateway,
        plan.ct1.address,
        plan.ct2.address,
        plan.subnet.split('/')[0] ?? '',
        plan.resolver,
        ...['127.0.0.1', dockerHost.address],
      ],
      ...[
        world.uplink.address,
        world.uplink.gateway,
        world.lanPeer,
        world.outside,
        world.site.address,
        ...world.resolvers,
      ],
    ]);
    const drawn = [...own.values()].flatMap((html) => html.match(/<svg[^>]*class="diagram".*?<\/svg>/gs) ?? []);
    assert.ok(drawn.length >= pictureNames.length);
    for (const svg of drawn) {
      for (const text of all(/<text[^>]*>([^<]*)<\/text>/g, svg)) {
        for (const address of text.match(/\b\d+\.\d+\.\d+\.\d+\b/g) ?? []) {
          assert.ok(known.has(address) || address.startsWith('172.17.0.'), `${address} in ${text}`);
        }
      }
    }
    const whole = (own.get('index.html') ?? '').match(/<svg[^>]*class="diagram".*?<\/svg>/s)?.[0] ?? '';
    const labels = all(/<text[^>]*>([^<]*)<\/text>/g, whole);
    for (const label of [
      plan.bridge,
      `${plan.gateway}/${plan.prefix}`,
      `${plan.ct1.address}/${plan.prefix}`,
      plan.ct2.veth,
      plan.inner,
    ]) {
      assert.ok(labels.includes(label), label);
    }
  }
});

test('What is said of whose values these are is text, whatever is in it', () => {
  for (const [name, html] of pages)
    assert.ok(name === 'card.html' || html.includes('With &lt;these&gt; values.'), name);
  assert.doesNotMatch([...pages.values()].join(''), /<these>/);
});

test('The search finds a step by its command and leads to it', () => {
  const script = site.get('search-index.js') ?? '';
  const { options, index } = JSON.parse(script.replace(/^window\.handwiredSearch = /, '').replace(/;\n$/, '')) as {
    options: { fields: string[] };
    index: string;
  };
  const search = MiniSearch.loadJSON(index, options);
  const [first] = search.search('masquerade', { prefix: true, combineWith: 'AND' });
  const [file = '', part = ''] = String(first?.id).split('#');
  assert.ok(pages.get(file)?.includes(` id="${part}"`), String(first?.id));
  assert.ok(search.search('route_localnet').length > 0);
});

test('The library for search is under its licence, and asks for no map that is not there', () => {
  const code = site.get('minisearch.js') ?? '';
  assert.match(code, /Permission is hereby granted/);
  assert.doesNotMatch(code, /sourceMappingURL/);
});
