import { dockerHost } from '@handwired/host';
import { z } from 'zod';
import { type Facts, Net } from '../facts/facts.ts';
import type { Link } from '../facts/iproute.ts';
import { parseWhole, observeRaw } from '../facts/observe.ts';
import { parseNet, type Raw } from '../facts/parse.ts';
import type { Source } from '../grading/grade.ts';
import { findLink, findNetns, findPair as vethPairOf, findResolvConf } from '../queries/links.ts';
import { type Rule, listRules } from './rules.ts';

/** A running container as Docker noted it, with its namespace as the kernel has it. */
interface Container {
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
  return parsePair(await observeRaw(seat, { baseline, docker, ...(signal ? { signal } : {}) }));
}

/** Pure. A container whose notes or whose namespace can't be read is left out. */
export function parsePair(raw: Raw): Pair {
  const facts = parseWhole(raw);
  const containers = raw.docker.flatMap(({ id, config, resolv, netns }): Container[] => {
    const scope = `docker ${id}`;
    const sources = raw.sources[scope];
    const known = Config.safeParse(readJsonFile(config)).data;
    if (!sources || !known?.State.Running || netns === null) return [];
    const { Name, NetworkSettings } = known;
    const net = parseNet(sources, raw, { scope, problems: facts.problems });
    const networks = Object.keys(NetworkSettings.Networks);
    return [{ name: Name.replace(/^\//, ''), hostname: known.Config.Hostname, networks, netns, net, resolv }];
  });
  return { facts, containers };
}

function readJsonFile(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One of the two builds, told in the same words. */
export interface Side {
  whose: 'yours' | 'docker';
  /** What the container is called, and the file by which its namespace is kept. */
  container: string;
  netns: string;
  hostname: string;
  /** The namespace in which bridge and rules are. */
  host: Net;
  inner: Net;
  bridge: Link | undefined;
  /** The container's end of the cable, and the other. */
  eth0: Link | undefined;
  port: Link | undefined;
  hostPort: number;
  rules: Rule[];
  /** Firewall tables that iptables does not show. */
  native: string[];
  /** Name servers of the container, and of its host. */
  resolvers: string[];
  hostResolvers: string[];
  /** Docker's other container, on a network of its own. */
  second: Container | undefined;
}

/** A link's first IPv4 address. */
export const findAddress = (link: Link | undefined): Link['addresses'][number] | undefined =>
  link?.addresses.find(({ family }) => family === 'inet');

const serversIn = (text: string | null | undefined): string[] =>
  Array.from((text ?? '').matchAll(/^nameserver\s+(\S+)/gm), ([, server]) => server ?? '');

const listHostResolvers = ({ files }: Facts): string[] =>
  serversIn(files.find(({ path }) => path === '/etc/resolv.conf')?.text);

/** What is known of the lab from before. */
export type Known = Pick<Source, 'plan' | 'baseline'>;

/** The learner's side; undefined: there is no ct1 yet. */
export function readYourSide({ facts }: Pair, { plan, baseline }: Known): Side | undefined {
  const inner = findNetns(facts, plan.ct1.name)?.net;
  if (!inner) return undefined;
  const cable = vethPairOf(facts, plan.ct1, plan);
  const bridge = findLink(facts.here.links, cable?.host.master ?? plan.bridge);
  const eth0 = cable?.inner ?? findLink(inner.links, plan.inner);
  const ports = { host: plan.hostPort, container: plan.containerPort };
  const others = { word: 'FOREIGN', addresses: [] };
  const { rules, native } = listRules(facts.here, { bridge, eth0, ports, others });
  const given = new Set(baseline.here.nft.map(({ family, name }) => `${family} ${name}`));
  return {
    whose: 'yours',
    container: plan.ct1.name,
    netns: `/run/netns/${plan.ct1.name}`,
    hostname: facts.host.name,
    host: facts.here,
    inner,
    bridge,
    eth0,
    port: cable?.host,
    hostPort: plan.hostPort,
    rules,
    native: native.filter((name) => !given.has(name)),
    resolvers: serversIn(findResolvConf(facts, plan.ct1.name)?.text),
    hostResolvers: listHostResolvers(facts),
    second: undefined,
  };
}

/** Docker's side; undefined: it has no running container on its default bridge. */
export function readDockerSide({ facts, containers }: Pair, { plan }: Known): Side | undefined {
  const host = findNetns(facts, dockerHost.netns)?.net;
  const onBridge = containers.filter(({ networks }) => networks.includes('bridge'));
  const found = onBridge.find(({ name }) => name === dockerHost.container) ?? onBridge[0];
  if (!host || !found) return undefined;
  const bridge = findLink(host.links, dockerHost.bridge);
  const eth0 = findLink(found.net.links, plan.inner);
  const port = host.links.find(({ peer, index }) => peer?.index === eth0?.index && index === eth0?.peer?.index);
  const ports = { host: plan.hostPort, container: 80 };
  const rest = containers.filter((one) => one !== found).flatMap(({ net }) => net.links);
  const addresses = rest.filter(({ loopback }) => !loopback).flatMap((link) => findAddress(link)?.address ?? []);
  const others = { word: 'ANOTHER', addresses };
  const { rules, native } = listRules(host, { bridge, eth0, ports, others });
  return {
    whose: 'docker',
    container: found.name,
    netns: found.netns,
    hostname: found.hostname,
    host,
    inner: found.net,
    bridge,
    eth0,
    port,
    hostPort: plan.hostPort,
    rules,
    native,
    resolvers: serversIn(found.resolv),
    hostResolvers: listHostResolvers(facts),
    second: containers.find(({ networks }) => !networks.includes('bridge') && !networks.includes('host')),
  };
}
