import { createHash } from 'node:crypto';
import { listLabs, LabError, run, takeLock } from '@handwired/host';
import { z } from 'zod';
import type { Hypervisor } from './hypervisor/index.ts';
import { loadRecord } from './record.ts';
import { virshSays } from './virsh.ts';

/** A management network: 16 addresses, the hypervisor on the first, the lab host on the second. */
export interface Subnet {
  subnet: string;
  gateway: string;
  address: string;
  prefix: number;
}

const prefix = 28;
/** 10.213.0.0/16 holds 4096 of them. Nothing that a plan or the world uses lies in it. */
const block = { network: ipv4('10.213.0.0'), count: 4096 };

/**
 * A subnet that nobody has: not the machine's routes, not the hypervisor's networks, not another lab. `keep` stores the
 * choice before the lock that makes choices one after another is let go.
 */
export async function chooseSubnet(
  instance: string,
  hypervisor: Hypervisor,
  keep: (subnet: Subnet) => Promise<void>,
  signal: AbortSignal,
): Promise<Subnet> {
  const lock = await takeLock('vm subnets', signal);
  try {
    const taken = [...(await subnetsOfLabs()), ...(await subnetsSeen(hypervisor, signal))];
    const subnet = pickSubnet(instance, taken);
    await keep(subnet);
    return subnet;
  } finally {
    await lock.release();
  }
}

/** The first free subnet, from a start that the instance id gives: two machines that share a hypervisor differ. */
export function pickSubnet(instance: string, taken: readonly string[]): Subnet {
  const ranges = taken.map(rangeOf);
  const start = createHash('sha256').update(instance).digest().readUInt16BE(0);
  for (let i = 0; i < block.count; i += 1) {
    const first = block.network + ((start + i) % block.count) * 16;
    if (ranges.some((range) => range.first <= first + 15 && first <= range.last)) continue;
    const subnet = `${text(first)}/${prefix}`;
    return { subnet, gateway: text(first + 1), address: text(first + 2), prefix };
  }
  throw new LabError({
    what: 'no free subnet for the management network',
    where: '10.213.0.0/16',
    next: 'lab destroy --all',
  });
}

async function subnetsOfLabs(): Promise<string[]> {
  const records = await Promise.all((await listLabs()).map((lab) => loadRecord(lab)));
  return records.flatMap((record) => record?.subnet ?? []);
}

const Routes = z.array(z.object({ dst: z.string() }));

/** On a private hypervisor there are only our labs' networks. */
async function subnetsSeen(hypervisor: Hypervisor, signal: AbortSignal): Promise<string[]> {
  if (hypervisor.kind === 'private') return [];
  const { stdout } = await run(['ip', '-j', '-4', 'route', 'show', 'table', 'all'], { signal, allowFailure: true });
  const routes = Routes.safeParse(stdout === '' ? [] : JSON.parse(stdout)).data ?? [];
  const names = await virshSays(hypervisor.uri, ['net-list', '--all', '--name'], { signal });
  const described = names.split('\n').filter((name) => name !== '');
  const networks = await Promise.all(described.map((name) => virshSays(hypervisor.uri, ['net-dumpxml', name])));
  return [...routes.map((route) => route.dst).filter((dst) => /^[\d./]+$/.test(dst)), ...networks.flatMap(subnetsIn)];
}

/** `<ip address='A' netmask='M'>` or `prefix='P'` of a network's XML. */
export function subnetsIn(xml: string): string[] {
  return [...xml.matchAll(/<ip\b[^>]*>/g)].flatMap(([tag]) => {
    const address = /\baddress=['"]([\d.]+)['"]/.exec(tag)?.[1];
    const mask = /\bnetmask=['"]([\d.]+)['"]/.exec(tag)?.[1];
    const length = /\bprefix=['"](\d+)['"]/.exec(tag)?.[1] ?? (mask === undefined ? undefined : bits(mask));
    return address === undefined || length === undefined ? [] : [`${address}/${length}`];
  });
}

const bits = (mask: string): number => ipv4(mask).toString(2).replaceAll('0', '').length;

function ipv4(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

const text = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');

function rangeOf(cidr: string): { first: number; last: number } {
  const [address = '', length = '32'] = cidr.split('/');
  const size = 2 ** (32 - Number(length));
  const first = Math.floor(ipv4(address) / size) * size;
  return { first, last: first + size - 1 };
}
