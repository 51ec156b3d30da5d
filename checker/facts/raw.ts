import { z } from 'zod';
import { NamespaceId } from './iproute.ts';

/** One command as the observing program ran it. `code` null: not started, killed, or out of time; `cut`: more than the limit. */
const Source = z.object({ code: z.int().nullable(), out: z.string(), err: z.string(), cut: z.boolean() });
export type Source = z.infer<typeof Source>;

const File = z.object({
  path: z.string().max(4096),
  kind: z.enum(['absent', 'file', 'symlink', 'folder', 'other']),
  target: z.string().max(4096).optional(),
  real: z.string().max(4096).optional(),
  size: z.int().optional(),
  sha256: z.string().length(64).optional(),
  text: z.string().max(8192).optional(),
});

const Work = z.object({
  answers: z.array(z.object({ path: z.string().max(4096), text: z.string().max(8192).nullable() })).max(16),
  captures: z
    .array(z.object({ path: z.string().max(4096), cut: z.boolean(), data: z.base64().max(400_000).nullable() }))
    .max(8),
});

/** A socket that waits for others: TCP in LISTEN, UDP without a peer. */
export const Socket = z.object({
  protocol: z.enum(['tcp', 'udp']),
  /** As ss prints it: `0.0.0.0`, `127.0.0.53%lo`, `[::]`, `*`. */
  address: z.string(),
  port: z.int(),
  /** Name of the program, as the kernel has it (15 bytes); null: nobody's, or a kernel socket. */
  program: z.string().nullable(),
  /** As the learner sees it. */
  pid: z.int().nullable(),
});

export type Socket = z.infer<typeof Socket>;

/** What the observing program prints: everything is quoted, nothing is interpreted. */
export const Raw = z.object({
  host: z.object({
    name: z.string().max(256),
    kernel: z.string().max(256),
    clock: z.number(),
    inode: z.int(),
    boot: z.string().max(64),
  }),
  lab: z.string().nullable(),
  world: z.object({
    pid: z.int().nullable(),
    inode: z.int().nullable(),
    start: z.string().max(32).nullable(),
    sha256: z.string().length(64).nullable(),
    authority: z.string().max(65536).nullable(),
    knocks: z.array(z.string().max(1000)).max(200).nullable().default(null),
  }),
  altered: z.array(z.object({ path: z.string().max(4096), what: z.string().max(300) })).max(200),
  /** Fingerprints from before the first source and after the last. */
  steady: z.object({ before: z.string().max(100), after: z.string().max(100) }),
  netns: z.array(z.object({ name: z.string().max(256), inode: z.int().nullable(), nsfs: z.boolean() })).max(64),
  mounts: z.array(z.object({ path: z.string().max(4096), inode: z.int() })).max(200),
  processes: z.array(z.object({ pid: z.int(), inode: z.int(), args: z.array(z.string()).max(401) })).max(500),
  files: z.array(File).max(300),
  /** What a learner hands in: read_work in agent/files.py. */
  work: Work.default({ answers: [], captures: [] }),
  ids: z.record(z.string(), z.array(NamespaceId).max(1000)),
  sockets: z.record(z.string(), z.array(Socket).max(2000)),
  sysctls: z.record(z.string(), z.record(z.string(), z.string())),
  /** Where it was asked for: what Docker noted of its containers (config.v2.json), and what keeps their namespaces. */
  docker: z
    .array(
      z.object({
        id: z.string().max(64),
        config: z.string().max(1 << 18),
        resolv: z.string().max(8192).nullable(),
        netns: z.string().max(100).nullable(),
      }),
    )
    .max(8)
    .default([]),
  sources: z.record(z.string(), z.record(z.string(), Source)),
});
export type Raw = z.infer<typeof Raw>;
