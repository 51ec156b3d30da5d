import { type ChapterId, chapterIds, defaultPlan } from '@handwired/host';
import { record } from '@handwired/labs';

/** One command of the course's own build, as its recorder has it. */
export interface Line {
  /** `chapter/step` */
  step: string;
  cmd: string;
  /** The container that it is for, where it is for one. */
  ct: 'ct1' | 'ct2' | null;
}

const course: ChapterId[] = chapterIds.slice(0, chapterIds.indexOf('publish') + 1);

/** The build's commands; without the pings, which change nothing. */
export function buildLines(): Line[] {
  const steps = record('build', defaultPlan, course);
  return steps
    .filter(({ chapter, id }) => `${chapter}/${id}` !== 'connectivity/ping')
    .flatMap(({ chapter, id, commands }) => commands.map(({ run }) => lineOf(`${chapter}/${id}`, run.cmd)));
}

/** The commands of its undo that a learner needs, with what the build's notes would give back typed out. */
export function cleanupLines(ipForward: '0' | '1'): Line[] {
  const steps = record('undo', defaultPlan, course.toReversed());
  const lines = steps.flatMap(({ chapter, id, commands }) =>
    commands.map(({ run }) => lineOf(`${chapter}/${id}`, run.cmd)),
  );
  // What goes with a namespace or with the bridge, and copies of notes that only our own build makes.
  const needless = /^(addressing|veth|bridge\/(up|address)|publish\/(loopback|hairpin bridge))|handwired-build\/resolv/;
  return lines
    .filter(({ step, cmd }) => !needless.test(`${step} ${cmd}`) || /^iptables/.test(cmd))
    .map((line) =>
      line.step === 'egress/forwarding' ? { ...line, cmd: `sysctl -w net.ipv4.ip_forward=${ipForward}` } : line,
    );
}

function lineOf(step: string, cmd: string): Line {
  const named = /\bct[12]\b/.exec(cmd)?.[0];
  const addressed = /172\.18\.0\.1([12])\b/.exec(cmd)?.[1];
  const ct = named ?? (addressed ? `ct${addressed}` : null);
  return { step, cmd, ct: ct === 'ct1' || ct === 'ct2' ? ct : null };
}

/** What a learner types, and then until the web server, if one was started, listens or has ended. */
export const scriptOf = (lines: readonly { cmd: string }[]): string => `${lines.map(({ cmd }) => cmd).join('\n')}
while pgrep -f '^(setsid|ip) .*http.server' >/dev/null; do sleep 0.01; done
for pid in $(pgrep -f '^python3 -m http.server'); do
  until ! [ -e /proc/$pid/exe ] || grep -qs ' 0A ' /proc/$pid/net/tcp; do sleep 0.01; done
done`;
