/**
 * Records what the comparison's and chapter docker's unit tests read: our own build and a real Docker beside it on a
 * sandbox. `node --import ./cli/loader.mjs tests/sandbox/record-docker.ts`; with DOCKER_PROGRAMS=FOLDER the programs of another
 * Docker than this machine's, which are put under /usr/local/bin there.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { defaultPlan, dockerHost, openSeat } from '@handwired/host';
import { build } from '@handwired/labs';
import { observeRaw } from '../../checker/facts/observe.ts';
import { runProbes } from '../../checker/evidence/run.ts';
import { course } from './grading.ts';
import { type Lab, labOf, ownState, specOf } from './sandbox.ts';

/** A sandbox sees no files of this machine but its programs: they go there by ssh. */
async function install({ session }: Lab, folder: string): Promise<void> {
  const { stdout } = await promisify(execFile)('tar', ['-C', folder, '-czf', '-', '.'], {
    encoding: 'buffer',
    maxBuffer: 1 << 30,
  });
  const { code, stderr } = await session.exec('mkdir -p /usr/local/bin && tar -C /usr/local/bin -xzf -', {
    input: stdout,
  });
  if (code !== 0) throw new Error(stderr);
}

const removeState = await ownState();
const lab = await labOf({ ...specOf('lab'), memoryMiB: 1024 });
try {
  const programs = process.env['DOCKER_PROGRAMS'];
  if (programs !== undefined) await install(lab, programs);
  await build(lab.session, defaultPlan, { chapters: [...course, 'docker'] });
  const version = /version (\d+)/.exec(await lab.sh('dockerd --version'))?.[1] ?? '0';
  const seat = await openSeat(lab.endpoint);
  const raw = await observeRaw(seat, { docker: `netns ${dockerHost.netns}` });
  const evidence = await runProbes(seat, { plan: defaultPlan, wanted: ['host>docker'] });
  seat.close();
  const file = new URL(`../../checker/fixtures/docker-${version}.json`, import.meta.url);
  await writeFile(file, `${JSON.stringify({ raw, evidence }, null, 1)}\n`);
  process.stdout.write(`${file.pathname}\n`);
} finally {
  await lab.end();
  await removeState();
}
