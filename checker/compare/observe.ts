import { dockerHost } from '@handwired/host';
import { z } from 'zod';
import { type Facts, Net } from '../facts/facts.ts';
import { factsOf, observeRaw } from '../facts/observe.ts';
import { parseNet } from '../facts/parse.ts';
import type { Raw } from '../facts/raw.ts';
import type { Source } from '../grading/take.ts';

/** A running container as Docker noted it, with its namespace as the kernel has it. */
export interface Container {
  /** Without the `/` that Docker begins it with. */
  name: string;
  hostname: string;
  /** Names of its networks; `bridge` is the default one. */
  networks: string[];
  /** The mount that keeps its network namespace. */
  netns: string;
  net: Net;
  /** The resolv.conf that is mounted into it; null: unreadable. */
  resolv: string | null;
}

/** What a comparison looks at. */
export interface Pair {
  facts: Facts;
  containers: Container[];
}

/** What of config.v2.json is used: daemon/container.go of moby, type Container. */
const Config = z.object({
  Name: z.string().max(256),
  Config: z.object({ Hostname: z.string().max(256) }),
  NetworkSettings: z.object({ Networks: z.record(z.string().max(256), z.unknown()) }),
  State: z.object({ Running: z.boolean() }),
});

/** Looks at the lab host, and into its Docker, in one round trip. Throws LabError as `observe` does. */
export async function observePair({ seat, baseline, signal }: Source): Promise<Pair> {
  const docker = `netns ${dockerHost.netns}`;
  return pairOf(await observeRaw(seat, { baseline, docker, ...(signal ? { signal } : {}) }));
}

/** Pure. A container whose notes or whose namespace can't be read is left out. */
export function pairOf(raw: Raw): Pair {
  const facts = factsOf(raw);
  const containers = raw.docker.flatMap(({ id, config, resolv, netns }): Container[] => {
    const scope = `docker ${id}`;
    const sources = raw.sources[scope];
    const known = Config.safeParse(jsonOf(config)).data;
    if (!sources || !known?.State.Running || netns === null) return [];
    const { Name, NetworkSettings } = known;
    const net = parseNet(sources, raw, { scope, problems: facts.problems });
    const networks = Object.keys(NetworkSettings.Networks);
    return [{ name: Name.replace(/^\//, ''), hostname: known.Config.Hostname, networks, netns, net, resolv }];
  });
  return { facts, containers };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
