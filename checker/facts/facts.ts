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
  /** nft tables, as `ip nat`, that carry an iptables name and that iptables can't show. */
  notIptables: z.array(z.string()),
  sockets: z.array(Socket),
  connections: z.array(Connection),
  /** By path under /proc/sys: `net/ipv4/ip_forward`. */
  sysctls: z.record(z.string(), z.string()),
});

/** An entry of /run/netns. */
export const Named = z.object({
  name: z.string(),
  /** The namespace's inode on nsfs: its identity. */
  inode: z.int().nullable(),
  /** False: a plain file of that name, no network namespace. */
  real: z.boolean(),
  /** null: it could not be entered. */
  net: Net.nullable(),
});

/** A process outside the lab host's own network namespace, by the pid that the learner sees. */
const Process = z.object({
  pid: z.int(),
  inode: z.int(),
  /** The name in /run/netns; null: it has none. */
  netns: z.string().nullable(),
  command: z.string(),
});

/** A file of the network configuration, as the learner's mount namespace shows it. */
export const File = z.object({
  path: z.string(),
  kind: z.enum(['absent', 'file', 'symlink', 'folder', 'other']),
  /** What a symlink says, and the file at its end. */
  target: z.string().nullable(),
  real: z.string().nullable(),
  sha256: z.string().nullable(),
  /** At most the first 2 KiB. */
  text: z.string().nullable(),
});

/** One snapshot of a lab host's kernel state: parsed, nothing judged. */
export const Facts = z.object({
  schemaVersion: z.literal(2),
  host: z.object({ name: z.string(), kernel: z.string(), clock: z.number(), boot: z.string(), inode: z.int() }),
  /** /etc/handwired/lab.env */
  conditions: z.record(z.string(), z.string()),
  world: z.object({
    /** As the learner sees it; null: nothing holds the world's namespace any more. */
    pid: z.int().nullable(),
    inode: z.int().nullable(),
    /** When that process was started, in clock ticks since boot: a pid is used again, a pid with its start is not. */
    start: z.string().nullable(),
    /** The world's own namespace, read like any other; null: it could not be entered. */
    net: Net.nullable(),
    /** Of the server's program, as it lies on the lab host; null: unreadable. */
    sha256: z.string().nullable(),
    /** The certificate, PEM, that the world's site is signed by: made anew on each lab host. */
    authority: z.string().nullable(),
    /** The latest knocks in its log; null: it has none. Absent: from before there were knocks. */
    knocks: z.array(Knock).max(200).nullable().optional(),
  }),
  /** Programs, libraries and settings under the learner's commands that are not the image's own. Empty without a seat. */
  altered: z.array(z.object({ path: z.string(), what: z.string() })).max(200),
  /** A hash of all that a check's verdict may stand on, to tell whether it changed while experiments were made. */
  steady: z.string().nullable(),
  /** The lab host's own namespace, where its uplink is. */
  here: Net,
  namespaces: z.array(Named),
  /** Namespaces that a mount outside /run/netns keeps. */
  mounts: z.array(z.object({ path: z.string(), inode: z.int() })),
  processes: z.array(Process),
  files: z.array(File),
  /** What the learner handed in, in /root/answers and /root/captures. Absent: from before it was looked at. */
  answers: z.array(Answers).max(16).optional(),
  captures: z.array(CaptureFacts).max(8).optional(),
  /** Sources that gave no answer or not a whole one: what stands on them can't be judged. */
  problems: z.array(z.object({ source: z.string(), what: z.string() })),
});
export type Net = z.infer<typeof Net>;
export type Named = z.infer<typeof Named>;
export type File = z.infer<typeof File>;
export type Facts = z.infer<typeof Facts>;
