import { createHash } from 'node:crypto';
import { listLabs, LabError, run, underLock } from '@handwired/host';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { type Hypervisor } from './hypervisor.ts';
import { loadRecord } from './record.ts';
import { askVirsh } from './virsh.ts';

/** A management network of 16 addresses. The hypervisor has the first host address, the lab host the second. */
export interface Subnet {
  /** CIDR. */
  subnet: string;
  gateway: string;
  address: string;
  prefix: number;
}

const prefix = 28;
/** The number of such networks in 10.213.0.0/16, which neither a plan nor the world uses. */
const count = 4096;

/**
 * Chooses a subnet that no route of this machine, no network of the hypervisor and no other lab uses. Choices are made
 * one at a time: `keep` stores a choice before the next one begins. LabError: all are taken.
 */
export function chooseSubnet(
  instance: string,
  hypervisor: Hypervisor,
  keep: (subnet: Subnet) => Promise<void>,
  signal: AbortSignal,
): Promise<Subnet> {
  return underLock('vm subnets', { signal }, async () => {
    const taken = [...(await subnetsOfLabs()), ...(await subnetsSeen(hypervisor, signal))];
    const subnet = pickSubnet(instance, taken);
    await keep(subnet);
    return subnet;
  });
}

/** The first free subnet. The instance id gives the start, so machines that share a hypervisor choose differently. */
export function pickSubnet(instance: string, taken: readonly string[]): Subnet {
  const start = createHash('sha256').update(instance).digest().readUInt16BE(0);
  for (let i = 0; i < count; i += 1) {
    const candidate = subnetAt((start + i) % count);
    if (!taken.some((other) => overlaps(candidate.subnet, other))) return candidate;
  }
  throw new LabError({
    what: 'no free subnet for the management network',
    where: '10.213.0.0/16',
    next: 'lab destroy --all',
  });
}

function subnetAt(index: number): Subnet {
  const at = (offset: number): string => `10.213.${index >> 4}.${(index & 15) * 16 + offset}`;
  return { subnet: `${at(0)}/${prefix}`, gateway: at(1), address: at(2), prefix };
}

/** Whether two networks, ADDRESS or ADDRESS/PREFIX, share an address: then the wider one contains the other one. */
function overlaps(one: string, other: string): boolean {
  const [[a, lengthOfA], [b, lengthOfB]] = [parseNetwork(one), parseNetwork(other)];
  return a.match(b, Math.min(lengthOfA, lengthOfB));
}

const parseNetwork = (text: string): [ipaddr.IPv4, number] =>
  ipaddr.IPv4.parseCIDR(text.includes('/') ? text : `${text}/32`);

async function subnetsOfLabs(): Promise<string[]> {
  const records = await Promise.all((await listLabs()).map((lab) => loadRecord(lab)));
  return records.flatMap((record) => record?.subnet ?? []);
}

const Routes = z.array(z.object({ dst: z.string() }));

/** Subnets in use on this machine and the hypervisor; none for a private hypervisor, which has only our labs. */
async function subnetsSeen(hypervisor: Hypervisor, signal: AbortSignal): Promise<string[]> {
  if (hypervisor.kind === 'private') return [];
  const { stdout } = await run(['ip', '-j', '-4', 'route', 'show', 'table', 'all'], { signal, allowFailure: true });
  const routes = Routes.safeParse(stdout === '' ? [] : JSON.parse(stdout)).data ?? [];
  const names = await askVirsh(hypervisor.uri, ['net-list', '--all', '--name'], { signal });
  const described = names.split('\n').filter((name) => name !== '');
  const networks = await Promise.all(described.map((name) => askVirsh(hypervisor.uri, ['net-dumpxml', name])));
  return [...routes.map((route) => route.dst).filter((dst) => /^[\d./]+$/.test(dst)), ...networks.flatMap(listSubnets)];
}

/** `<ip address='A' netmask='M'>` or `prefix='P'` of a network's XML. */
export function listSubnets(xml: string): string[] {
  return [...xml.matchAll(/<ip\b[^>]*>/g)].flatMap(([tag]) => {
    const address = /\baddress=['"]([\d.]+)['"]/.exec(tag)?.[1];
    const mask = /\bnetmask=['"]([\d.]+)['"]/.exec(tag)?.[1];
    const length = /\bprefix=['"](\d+)['"]/.exec(tag)?.[1] ?? (mask === undefined ? undefined : readPrefix(mask));
    return address === undefined || length == null ? [] : [`${address}/${length}`];
  });
}

/** The prefix length of a netmask; null when its one bits are not contiguous. */
const readPrefix = (mask: string): number | null => ipaddr.IPv4.parse(mask).prefixLengthFromSubnetMask();
