import { dockerHost } from '@handwired/host';
import { z } from 'zod';
import { type Facts, Net } from '../facts/facts.ts';
import type { Link } from '../facts/iproute.ts';
import { parseWhole, observeRaw } from '../facts/observe.ts';
import { parseNet, type Raw } from '../facts/parse.ts';
import type { Source } from '../grading/grade.ts';
import { findLink, findNetns, findPair as vethPairOf, findResolvConf } from '../queries/links.ts';
import { type Rule, listRules } from './rules.ts';

/** A running container: Docker's data, and the kernel's facts of its namespace. */
interface Container {
  /** Without Docker's leading `/`. */
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

/** The input of a comparison. */
export interface Pair {
  facts: Facts;
  containers: Container[];
}

/** The fields of config.v2.json that are used: type Container in moby's daemon/container.go. */
const Config = z.object({
  Name: z.string().max(256),
  Config: z.object({ Hostname: z.string().max(256) }),
  NetworkSettings: z.object({ Networks: z.record(z.string().max(256), z.unknown()) }),
  State: z.object({ Running: z.boolean() }),
});

/** Takes facts of the lab host and its Docker in one round trip. Throws LabError like `observeRaw`. */
export async function observePair({ seat, baseline, signal }: Source): Promise<Pair> {
  const docker = `netns ${dockerHost.netns}`;
  return parsePair(await observeRaw(seat, { baseline, docker, ...(signal ? { signal } : {}) }));
}

/** Parses a snapshot. Leaves out containers whose data or namespace can't be read. Pure. */
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

/** One of the two builds, in a common form. */
export interface Side {
  whose: 'yours' | 'docker';
  /** The container's name, and the file that keeps its namespace. */
  container: string;
  netns: string;
  hostname: string;
  /** `host` is the namespace with bridge and rules, `inner` the container's. */
  host: Net;
  inner: Net;
  bridge: Link | undefined;
  /** `eth0` is the container's end of the veth pair, `port` the host's. */
  eth0: Link | undefined;
  port: Link | undefined;
  hostPort: number;
  rules: Rule[];
  /** Firewall tables that iptables does not show. */
  native: string[];
  /** Name servers of the container and of its host. */
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

/** The lab's plan and baseline. */
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
