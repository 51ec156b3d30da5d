import { gradeSource, loadFacts, loadRecord } from '@handwired/checker';
import { baselineFile, loadEndpoint, loadSpec, openSeat, recordFile } from '@handwired/host';
import { gradedChapters as chapters } from '@handwired/labs/checks';
import { counting } from '../sandbox/grading.ts';
import { add, median, note } from './figures.ts';
import { runTestinfra } from './testinfra.ts';
import { repeat, time } from './time.ts';

/** Commands that make a right build drop packets silently, so that the grader has to wait. */
const silent = {
  'every packet between the containers and the world is dropped': 'iptables -I FORWARD -j DROP',
  'nothing of the containers arrives anywhere': 'ip link set veth-ct1 nomaster; ip link set veth-ct2 nomaster',
  'the server is stopped, not ended': 'kill -STOP $(ip netns pids ct1)',
};

/** One lab on a sandbox: from nothing to nothing. */
export async function benchSandbox(): Promise<void> {
  const up: number[] = [];
  const down: number[] = [];
  for (let at = 0; at < 3; at += 1) {
    up.push((await time(['up', 'bench', '--driver', 'sandbox'])).seconds);
    if (at < 2) down.push((await time(['destroy', 'bench'])).seconds);
  }
  add('lab up of a sandbox', median(up), 1);
  add('lab up of a sandbox that is up', (await repeat(5, () => time(['up', 'bench']))).seconds, 0.5);
  add('lab status', (await repeat(5, () => time(['status']))).seconds, 0.4);
  await time(['build', 'bench']);
  const check = await repeat(5, () => time(['check', 'bench']));
  add('lab check of the whole course on a sandbox', check.seconds, 1.5);
  add('round trips of that check', await roundTrips('bench'), 3, '');
  add('peak memory of that check', check.peakMb, 150, 'MB');
  await benchTestinfra(check.seconds);
  await benchWrong(check.seconds);
  await time(['destroy', 'bench']);
  note(`lab destroy of a sandbox: ${median(down).toFixed(2)} s`);
}

/** The same checks in testinfra, over one shared ssh connection, which is its fastest way. */
async function benchTestinfra(ours: number): Promise<void> {
  const { seconds, passed, report } = await runTestinfra(await loadEndpoint('bench'), true);
  if (!report.includes(`\n${passed} passed in`))
    throw new Error(`testinfra finds the bench's own build wrong: ${report}`);
  add(
    `testinfra, the same checks (${passed} tests, ${seconds.toFixed(1)} s), in times of lab check`,
    seconds / ours,
    10,
    'x',
    true,
  );
}

/** Each build is typed over the one before, so that the last is the most wrong one. */
async function benchWrong(right: number): Promise<void> {
  const slowest: [seconds: number, name: string][] = [];
  for (const [name, script] of Object.entries(silent)) {
    await time(['exec', 'bench', '--', 'sh', '-c', script]);
    slowest.push([(await repeat(3, () => time(['check', 'bench', '--through', 'publish'], 1))).seconds, name]);
  }
  const [seconds, name] = slowest.toSorted(([a], [b]) => b - a)[0] ?? [NaN, ''];
  add(`lab check of the slowest wrong build (${name}), in times of the right one`, seconds / right, 2, 'x');
}

/** Programs that one grading runs. */
async function roundTrips(name: string): Promise<number> {
  const counted = counting(await openSeat(await loadEndpoint(name)));
  const baseline = await loadFacts(baselineFile(name));
  if (!baseline) throw new Error('no baseline');
  const { plan, driver } = await loadSpec(name);
  const record = await loadRecord(recordFile(name));
  const report = await gradeSource({ seat: counted.seat, lab: name, driver, plan, baseline, record, chapters });
  counted.seat.close();
  if (report.exit !== 0) throw new Error(`the bench's own build is graded ${report.exit}`);
  return counted.trips;
}
