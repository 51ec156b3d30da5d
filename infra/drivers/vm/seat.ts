import { seatSerial } from './xslt.ts';

/** Run at the seat: its mounts as the kernel lists them (proc(5), mountinfo), and `disk DEVICE READ_ONLY SERIAL` lines. */
export const seatQuestion = `cat /proc/self/mountinfo
cd /sys/dev/block
for disk in *:*; do
  ro= serial=
  read -r ro <$disk/ro
  read -r serial 2>/dev/null <$disk/serial
  echo "disk $disk $ro $serial"
done`;

/** Where a seat's programs may find something that is not of its disk: nothing that they are made of is there. */
const elsewhere = /^\/(proc|tmp|(dev|run|sys)(\/.*)?)$/;

/**
 * What is wrong with a seat that answers so; undefined: its root is the read-only disk, and nothing lies over a part of
 * it. Whoever rebuilt the unit that makes the seat can also answer this: see docs/architecture.md.
 */
export function seatTrouble(answer: string): string | undefined {
  const lines = answer.split('\n').map((line) => line.split(' '));
  const mounts = lines.filter((words) => words.includes('-')).map(mountOf);
  const root = mounts.findLast(({ at }) => at === '/');
  if (!root) return 'it lists no mounts';
  const disk = lines.find(([word, device]) => word === 'disk' && device === root.device);
  if (disk?.[3] !== seatSerial) return `its root is not the disk ${seatSerial} but ${root.source} (${root.device})`;
  if (disk[2] !== '1') return `its disk ${seatSerial} can be written to`;
  for (const { at, type } of mounts) {
    if (at !== '/' && !elsewhere.test(at)) return `something is mounted on ${at}`;
    for (const api of ['proc', 'sys']) if (at === `/${api}` && !type.startsWith(api)) return `${at} is a ${type}`;
  }
  return undefined;
}

interface Mount {
  /** MAJOR:MINOR */
  device: string;
  at: string;
  type: string;
  source: string;
}

function mountOf(words: string[]): Mount {
  const dash = words.indexOf('-');
  const [, , device = '', , at = ''] = words;
  return { device, at, type: words[dash + 1] ?? '', source: words[dash + 2] ?? '' };
}
