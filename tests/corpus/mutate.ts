import type { Line } from './lines.ts';

/** One fault in a list of commands. */
export interface Mutant {
  class: FaultClass;
  /** The line that was altered, as it was. */
  line: Line;
  /** What it became; null: it is gone, or at another place. */
  became: string | null;
  /** `start` or `end`: where it was moved to. */
  moved: 'start' | 'end' | null;
  lines: readonly Pick<Line, 'cmd'>[];
}

/** How a value in a command is altered: each match of the pattern alone. */
const alterations = {
  address: [
    [/172\.18\.0\.1(?![\d/])|172\.18\.0\.1(?=\/16)/g, '172.18.0.2'],
    [/172\.18\.0\.1[12]/g, '172.18.0.13'],
    [/172\.18\.0\.0(?=\/)/g, '172.19.0.0'],
    [/(?<=nameserver )1\.1\.1\.1/g, '9.9.9.9'],
    [/(?<=--bind )0\.0\.0\.0/g, '127.0.0.1'],
    [/127\.0\.0\.0(?=\/8)/g, '128.0.0.0'],
  ],
  interface: [
    [/(?<=(dev|master|-i|-o|link set) )br0/g, 'br-keep'],
    [/(?<=(link set|dev) )veth-ct1\b(?!-)/g, 'veth-ct2'],
    [/(?<=(link set|dev) )veth-ct2\b(?!-)/g, 'veth-ct1'],
    [/(?<=link set )veth-ct1-ns/g, 'veth-ct1'],
    [/(?<=link set )veth-ct2-ns/g, 'veth-ct2'],
    [/(?<=dev )eth0/g, 'lo'],
    [/(?<=link set )eth0(?= up)/g, 'lo'],
    [/(?<=conf\.)br0/g, 'br-keep'],
  ],
  port: [
    [/8080/g, '8081'],
    [/:80\b/g, ':81'],
    [/(?<=--dport )80\b/g, '81'],
    [/(?<=http\.server )80\b/g, '81'],
  ],
  mask: [
    [/(?<=172\.18\.0\.\d+)\/16/g, '/30'],
    [/(?<=addr add 172\.18\.0\.\d+)\/16/g, ''],
    [/(?<=127\.0\.0\.0)\/8/g, '/32'],
  ],
  protocol: [[/(?<=-p )tcp/g, 'udp']],
  direction: [
    [/(?<= )-i(?= br0)/g, '-o'],
    [/(?<= )-o(?= br0)/g, '-i'],
    [/(?<= )-s(?= )/g, '-d'],
    [/(?<= )-d(?= )/g, '-s'],
    [/--dport/g, '--sport'],
    [/--dst-type/g, '--src-type'],
    [/--src-type/g, '--dst-type'],
  ],
  chain: [
    [/FORWARD/g, 'INPUT'],
    [/PREROUTING/g, 'INPUT'],
    [/POSTROUTING/g, 'PREROUTING'],
    [/OUTPUT/g, 'PREROUTING'],
  ],
  table: [
    [/-t nat/g, '-t mangle'],
    [/-t raw/g, '-t nat'],
    [/^iptables (?=-A)/g, 'iptables -t mangle '],
  ],
  verdict: [
    [/-j ACCEPT/g, '-j DROP'],
    [/-j MASQUERADE/g, '-j RETURN'],
    [/-j DNAT --to-destination \S+/g, '-j ACCEPT'],
    [/-j DROP/g, '-j ACCEPT'],
    [/RELATED,ESTABLISHED/g, 'NEW'],
    [/--ctstate DNAT/g, '--ctstate SNAT'],
    [/! (?=-[io])/g, ''],
  ],
  state: [
    [/\bup$/g, 'down'],
    [/=1$/g, '=0'],
    [/hairpin on/g, 'hairpin off'],
  ],
  name: [
    [/(?<=netns (add|exec) |-n |netns\/|netns )ct1/g, 'ct2'],
    [/(?<=netns (add|exec) |-n |netns\/|netns )ct2/g, 'ct1'],
    [/(?<=name )br0/g, 'br1'],
    [/(?<=link add )veth-ct/g, 'cable'],
    [/(?<=peer name )veth-ct/g, 'cable'],
    [/(?<=name )eth0/g, 'eth1'],
  ],
  kind: [
    [/type bridge/g, 'type dummy'],
    [/type veth peer name \S+/g, 'type dummy'],
  ],
} satisfies Record<string, [RegExp, string][]>;

type FaultClass = 'drop' | 'reorder' | 'double' | keyof typeof alterations;

/** Every mutant of the list; lines of `kept` steps stay as they are. */
export function mutantsOf(lines: readonly Line[], kept: (line: Line) => boolean): Mutant[] {
  return lines.flatMap((line, n) => {
    if (kept(line)) return [];
    const rest = lines.toSpliced(n, 1);
    const plain = { line, became: null, moved: null };
    return [
      { ...plain, class: 'drop' as const, lines: rest },
      { ...plain, class: 'double' as const, lines: lines.toSpliced(n, 0, line) },
      ...(n === 0 ? [] : [{ ...plain, class: 'reorder' as const, moved: 'start' as const, lines: [line, ...rest] }]),
      ...(n === lines.length - 1
        ? []
        : [{ ...plain, class: 'reorder' as const, moved: 'end' as const, lines: [...rest, line] }]),
      ...alteredOf(line).map(({ class: kind, became }) => ({
        ...plain,
        class: kind,
        became,
        lines: lines.toSpliced(n, 1, { ...line, cmd: became }),
      })),
    ];
  });
}

function alteredOf({ cmd }: Line): { class: FaultClass; became: string }[] {
  return (Object.keys(alterations) as (keyof typeof alterations)[]).flatMap((kind) =>
    alterations[kind].flatMap(([pattern, to]) =>
      [...cmd.matchAll(pattern)].map(({ index, 0: found }) => ({
        class: kind,
        became: cmd.slice(0, index) + to + cmd.slice(index + found.length),
      })),
    ),
  );
}
