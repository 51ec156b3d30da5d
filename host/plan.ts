import { createHash } from 'node:crypto';
import { z } from 'zod';

/** The registry of the course's chapters, in their order. Each is a folder labs/NN-id, where NN is its place in this list. */
export const chapterIds = [
  'tour',
  'namespaces',
  'bridge',
  'veth',
  'addressing',
  'connectivity',
  'egress',
  'dns',
  'publish',
  'observe',
  'docker',
  'troubleshoot',
  'cleanup',
] as const;

/** A chapter's id. */
export type ChapterId = (typeof chapterIds)[number];

/** What packages that do not import labs know about a chapter. */
export interface ChapterInfo {
  id: ChapterId;
  /** Two digits, as in the folder's name: `06`. */
  number: string;
  title: string;
  /** Chapters that must be done before this one. */
  needs: ChapterId[];
  points: number;
}

const Container = z.object({
  /** The netns, as in `ip netns add NAME`. */
  name: z.string(),
  /** The lab host's end of its veth pair. A learner may name it differently, so the checker does not rely on it. */
  veth: z.string(),
  /** The container's end before it is renamed to `eth0`. */
  peer: z.string(),
  /** IPv4 address without prefix. */
  address: z.string(),
});

/** The topology a learner must build. IPv4 in dotted form, prefix lengths as numbers, ports 1-65535. */
export const Plan = z.object({
  bridge: z.string(),
  subnet: z.string(),
  prefix: z.number().int(),
  gateway: z.string(),
  ct1: Container,
  ct2: Container,
  /** The interface's name inside each container. */
  inner: z.literal('eth0'),
  hostPort: z.number().int(),
  containerPort: z.number().int(),
  /** The name server that the containers must ask. */
  resolver: z.string(),
});
export type Plan = z.infer<typeof Plan>;
export type Container = z.infer<typeof Container>;

interface Numbers {
  network: string;
  hostPort: number;
}

function makePlan({ network, hostPort }: Numbers): Plan {
  const container = (name: string, last: number): Container => ({
    name,
    veth: `veth-${name}`,
    peer: `veth-${name}-ns`,
    address: `${network}.0.${last}`,
  });
  return {
    bridge: 'br0',
    subnet: `${network}.0.0/16`,
    prefix: 16,
    gateway: `${network}.0.1`,
    ct1: container('ct1', 11),
    ct2: container('ct2', 12),
    inner: 'eth0',
    hostPort,
    containerPort: 80,
    resolver: '1.1.1.1',
  };
}

/** The course's own topology: 172.18.0.0/16 on br0, host port 8080 to ct1:80. */
export const defaultPlan: Plan = makePlan({ network: '172.18', hostPort: 8080 });

/** A student's own topology: the default one with a subnet (172.18-172.30) and a host port (8000-8899) made from the id. */
export function derivePlan(studentId: string): Plan {
  const hash = createHash('sha256').update(studentId).digest();
  return makePlan({
    network: `172.${18 + (hash.readUInt16BE(0) % 13)}`,
    hostPort: 8000 + (hash.readUInt16BE(2) % 900),
  });
}
