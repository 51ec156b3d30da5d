import { emptyRecord, type Facts, gradeSource, observeFacts, type Report } from '@handwired/checker';
import { defaultPlan, type Endpoint, type OpenSeat, openSeat } from '@handwired/host';
import { gradedChapters as chapters } from '@handwired/labs/checks';
import { work } from './vm.ts';

/** Does something at the grader's seat of a lab host. */
async function withSeat<T>(endpoint: Endpoint, use: (seat: OpenSeat) => Promise<T>): Promise<T> {
  // A server that was ended starts anew, which takes seconds where it is emulated.
  const seat = await openSeat(endpoint, { timeoutMs: 60_000 });
  try {
    return await use(seat);
  } finally {
    seat.close();
  }
}

/** What a command line says there that must succeed, stderr included. */
export const atSeat = (endpoint: Endpoint, command: string): Promise<string> =>
  withSeat(endpoint, async (seat) => {
    const { code, stdout } = await seat.exec(['/bin/sh', '-c', `{ ${command}; } 2>&1`]);
    if (code !== 0) throw new Error(`${command}: ${code ?? 'signal'}\n${stdout}`);
    return stdout.trim();
  });

export const baselineOf = (endpoint: Endpoint): Promise<Facts> => withSeat(endpoint, (seat) => observeFacts(seat));

/** Grades everything up to a published port. */
export const graded = (endpoint: Endpoint, baseline: Facts): Promise<Report> =>
  withSeat(endpoint, (seat) => {
    const asked = { lab: endpoint.lab, driver: 'vm', plan: defaultPlan, baseline, record: emptyRecord() } as const;
    return gradeSource({ seat, ...asked, chapters, through: 'publish', signal: work().signal });
  });

/** Makes liars of what a grader would run, and leaves a file by which a lab host that was made anew is known. */
export const liars = `touch /root/mine
printf '#!/bin/dash\\necho a lie\\n' >/root/liar
chmod 755 /root/liar
echo /root/none.so >/etc/ld.so.preload
for program in /usr/bin/python3 /usr/sbin/ip /usr/sbin/nft /usr/bin/getent /usr/sbin/sshd /usr/bin/bash; do
  real=$(readlink -f $program) && cp /root/liar $real.new && mv $real.new $real || exit
done
sync`;

/** Ends the seat's server, as a learner could: the next connection starts one with what is left of the lab host. */
export const endSeat = 'kill "$(head -n 1 /sys/fs/cgroup/system.slice/lab-seat.service/cgroup.procs)"';
