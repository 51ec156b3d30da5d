/**
 * Records what the checker's unit tests read, from real sandboxes: `node --import ./cli/loader.mjs tests/sandbox/record-fixtures.ts`.
 * One file a state: the snapshot as the lab host sent it, and the experiments' evidence. Of builds a second one: what
 * copies of the lab host yielded, a line each.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { type Conditions, defaultPlan, openSeat } from '@handwired/host';
import { build } from '@handwired/labs';
import { chooseCopies } from '../../checker/queries/conditions.ts';
import { checks } from '../../checker/testing/fixtures.ts';
import { parseFacts, Raw } from '../../checker/facts/parse.ts';
import { tools } from '../../checker/facts/observe.ts';
import { runRemote } from '../../checker/remote.ts';
import { type ProbeId, probes } from '../../checker/evidence/probes.ts';
import { runProbes } from '../../checker/evidence/run.ts';
import { course, seedCleanup, seedSteps } from './grading.ts';
import { dns } from '../corpus/rights/dns.ts';
import { egress } from '../corpus/rights/egress.ts';
import { links } from '../corpus/rights/links.ts';
import { publish } from '../corpus/rights/publish.ts';
import { servers } from '../corpus/rights/servers.ts';
import { type Lab, labOf, ownState, specOf } from './sandbox.ts';

const folder = new URL('../../checker/fixtures/', import.meta.url);

async function save(name: string, { endpoint }: Lab): Promise<void> {
  const seat = await openSeat(endpoint);
  const raw = await runRemote(seat, {
    program: 'facts',
    parameters: { limit: 1 << 20, seconds: 8, world: null, tools, docker: null },
    timeoutMs: 20_000,
    maxBytes: 16 << 20,
  });
  const wanted = Object.keys(probes) as ProbeId[];
  const baseline = parseFacts(Raw.parse(raw));
  const evidence = await runProbes(seat, { plan: defaultPlan, baseline, wanted });
  await writeFile(new URL(`${name}.json`, folder), `${JSON.stringify({ raw, evidence }, null, 1)}\n`);
}

async function saveCopies(name: string, { endpoint }: Lab): Promise<void> {
  const factsOf = async (state: string) => {
    const text = await readFile(new URL(`${state}.json`, folder), 'utf8');
    return parseFacts(Raw.parse((JSON.parse(text) as { raw: unknown }).raw));
  };
  const [facts, baseline] = [await factsOf(name), await factsOf('empty')];
  const copies = chooseCopies(checks, { facts, baseline });
  const seat = await openSeat(endpoint);
  const { copies: made } = await runProbes(seat, {
    ...{ plan: defaultPlan, baseline: facts, wanted: copies?.probes ?? [], copies },
  });
  const lines = made.map((copy) => JSON.stringify(copy)).join(',\n');
  await writeFile(new URL(`copies-${name}.json`, folder), `[\n${lines}\n]\n`);
}

/** All of one name, so that their files are the same. */
async function withLab(conditions: Partial<Conditions>, work: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await labOf(specOf('lab', conditions));
  try {
    await work(lab);
  } finally {
    await lab.end();
  }
}

const type = ({ session }: Lab, script: string) => session.exec('bash -s', { input: `${script}\n` });

const removeState = await ownState();
await withLab({}, async (lab) => {
  await save('empty', lab);
  await build(lab.session, defaultPlan, { chapters: course });
  await save('right', lab);
  await saveCopies('right', lab);
});
await withLab({}, async (lab) => {
  await type(lab, await seedSteps());
  await type(lab, 'until ip netns exec ct1 ss -Hltn sport = 80 | grep -q .; do :; done');
  await save('seed', lab);
  await saveCopies('seed', lab);
  await type(lab, await seedCleanup());
  await type(lab, 'while ip -o link show type veth | grep -q veth-; do :; done');
  await save('seed-cleaned', lab);
});
await withLab({ 'forward-policy': 'drop', 'bridge-nf': '1' }, async (lab) => {
  await type(lab, [links[1], egress[2], dns[2], servers[1], publish[1]].map((part) => part?.script ?? '').join('\n'));
  await type(lab, 'iptables-legacy -t nat -A POSTROUTING -s 172.18.0.0/16 -m mark ! --mark 5 -j MASQUERADE');
  await type(lab, 'nft add chain ip nat mine "{ type nat hook postrouting priority 110; }"');
  await save('mixed', lab);
  await saveCopies('mixed', lab);
});
await removeState();
