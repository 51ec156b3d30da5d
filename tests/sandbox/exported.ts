import assert from 'node:assert/strict';
import { exportScript } from '@handwired/labs';
import type { LabHost } from './lab-host.ts';

export const file = '/tmp/network.sh';

/** Runs the script; a signal at its Nth command, or when it stands, to its process group (INT) or to it alone. Prints how it ended. */
const driver = `
import os, signal, subprocess, sys
name, at, flags = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
script = subprocess.Popen(['bash', '${file}', *flags], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
seen = 0
for line in script.stdout:
    seen += line.startswith('    ')
    if name and (seen == at or line.startswith('Ctrl-C')):
        if name == 'INT': os.killpg(script.pid, signal.SIGINT)
        else: script.send_signal(getattr(signal, 'SIG' + name))
        name = ''
    sys.stdout.write(line)
print('ended', script.wait())
`;

/** The whole of it takes as long as all steps of `lab build` together: half a minute and more on a slow emulated VM. */
const timeoutMs = 240_000;

/** The script is on the lab host, and not yet run. */
export async function put({ session, plan }: Pick<LabHost, 'session' | 'plan'>, through?: 'veth'): Promise<void> {
  await session.exec(`cat > ${file}`, { input: await exportScript(plan, through) });
  await session.exec('cat > /tmp/driver.py', { input: driver });
}

type OnHost = Pick<LabHost, 'session'>;

/** Runs a command line that has to succeed; what it printed. */
async function succeed({ session }: OnHost, command: string): Promise<string> {
  const { code, stdout, stderr } = await session.exec(`${command} < /dev/null`, { timeoutMs });
  assert.equal(code, 0, stdout + stderr);
  return stdout + stderr;
}

/** Runs it to its end; what it printed. */
export const script = (host: OnHost, ...flags: string[]): Promise<string> =>
  succeed(host, `bash ${file} ${flags.join(' ')}`);

/** Runs it, and interrupts it at its Nth command; what it printed, and how it ended. */
export const interrupted = (host: OnHost, signal: string, at: number, flag = ''): Promise<string> =>
  succeed(host, `python3 /tmp/driver.py ${signal} ${at} ${flag}`);

/** Ten places of it, from the first command to the last: at which command, and by which signal. */
export async function places(host: OnHost): Promise<{ at: number; signal: 'TERM' | 'INT' }[]> {
  const last = (await script(host, '--dry-run')).split('--- and back')[0]?.match(/^ {4}/gm)?.length ?? 0;
  return Array.from({ length: 10 }, (_, place) => ({
    at: 1 + Math.round((place * last) / 9),
    signal: place % 2 === 0 ? 'TERM' : 'INT',
  }));
}
