import { z } from 'zod';
import { Connection, NftTable, Table } from './firewall.ts';
import { Forwarding, Link, NamespaceId, Neighbour, PolicyRule, Port, Route, Socket } from './iproute.ts';
import { Answers, CaptureFacts, Knock } from './work.ts';

/** The network state of one network namespace. */
export const Net = z.object({
  links: z.array(Link),
  routes: z.array(Route),
  policy: z.array(PolicyRule),
  neighbours: z.array(Neighbour),
  ids: z.array(NamespaceId),
  ports: z.array(Port),
  forwarding: z.array(Forwarding),
  iptables: z.array(Table),
  nft: z.array(NftTable),
  /** nft tables, such as `ip nat`, that have an iptables name but that iptables can't show. */
  notIptables: z.array(z.string()),
  sockets: z.array(Socket),
  connections: z.array(Connection),
  /** Keys are paths under /proc/sys: `net/ipv4/ip_forward`. */
  sysctls: z.record(z.string(), z.string()),
});

/** An entry of /run/netns. */
export const Named = z.object({
  name: z.string(),
  /** The namespace's inode on nsfs, which identifies it. */
  inode: z.int().nullable(),
  /** False: the entry is a plain file, not a network namespace. */
  real: z.boolean(),
  /** null: the namespace could not be entered. */
  net: Net.nullable(),
});

/** A process outside the lab host's own network namespace. `pid` is the one that the learner sees. */
const Process = z.object({
  pid: z.int(),
  inode: z.int(),
  /** The namespace's name in /run/netns; null: it has none. */
  netns: z.string().nullable(),
  command: z.string(),
});

/** A file of the network configuration, as the learner's mount namespace shows it. */
export const File = z.object({
  path: z.string(),
  kind: z.enum(['absent', 'file', 'symlink', 'folder', 'other']),
  /** A symlink's text, and the file that it leads to. */
  target: z.string().nullable(),
  real: z.string().nullable(),
  sha256: z.string().nullable(),
  /** At most the first 2 KiB. */
  text: z.string().nullable(),
});

/** One snapshot of a lab host's kernel state, parsed but not judged. */
export const Facts = z.object({
  schemaVersion: z.literal(2),
  host: z.object({ name: z.string(), kernel: z.string(), clock: z.number(), boot: z.string(), inode: z.int() }),
  /** /etc/handwired/lab.env */
  conditions: z.record(z.string(), z.string()),
  world: z.object({
    /** Pid of the world's process, as the learner sees it; null: no process holds the world's namespace any more. */
    pid: z.int().nullable(),
    inode: z.int().nullable(),
    /** When that process started, in clock ticks since boot. A pid can be reused; pid and start together can't. */
    start: z.string().nullable(),
    /** The world's own namespace, read like any other; null: it could not be entered. */
    net: Net.nullable(),
    /** Hash of the server's program file on the lab host; null: unreadable. */
    sha256: z.string().nullable(),
    /** The CA certificate (PEM) that signed the world's site. Each lab host has a new one. */
    authority: z.string().nullable(),
    /** The latest knocks in its log; null: there is no log. Absent: the facts are older than knocks. */
    knocks: z.array(Knock).max(200).nullable().optional(),
  }),
  /** Programs, libraries and settings of the learner's commands that differ from the image. Empty without a seat. */
  altered: z.array(z.object({ path: z.string(), what: z.string() })).max(200),
  /** Fingerprint of everything that verdicts depend on. It shows whether that changed during the experiments. */
  steady: z.string().nullable(),
  /** The lab host's own namespace, where its uplink is. */
  here: Net,
  namespaces: z.array(Named),
  /** Namespaces that a mount outside /run/netns keeps alive. */
  mounts: z.array(z.object({ path: z.string(), inode: z.int() })),
  processes: z.array(Process),
  files: z.array(File),
  /** The learner's files in /root/answers and /root/captures. Absent: the facts are older than this field. */
  answers: z.array(Answers).max(16).optional(),
  captures: z.array(CaptureFacts).max(8).optional(),
  /** Sources that gave no complete answer. Checks that depend on them can't be judged. */
  problems: z.array(z.object({ source: z.string(), what: z.string() })),
});
export type Net = z.infer<typeof Net>;
export type Named = z.infer<typeof Named>;
export type File = z.infer<typeof File>;
export type Facts = z.infer<typeof Facts>;
