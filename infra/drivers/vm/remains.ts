/** What is there of VM labs, whatever state folders say: objects in libvirt, private hypervisors, engines. */
import { hostname } from 'node:os';
import { endProcess, exists, findProcesses, listLabs, readWords } from '@handwired/host';
import type { Remains, Work } from '../../driver.ts';
import { keepVisible, type Owner, readOwner } from '../shared/owner.ts';
import {
  findPrivateHypervisors,
  hasFiles,
  leaveHypervisor,
  leftoverGuests,
  listUsers,
  privateDaemon,
  type PrivateFolders,
  privateUri,
  systemSockets,
  systemUri,
} from './hypervisor.ts';
import { describeObjects, listObjectNames, removeObjects } from './objects.ts';
import { engineMark, loadRecord, parseMark, parseObjectName } from './record.ts';
import { askVirsh, findSilence } from './virsh.ts';

/** See Driver.find. Looks at the private hypervisors of this machine, its own libvirtd, and those that labs were made on. */
export async function find(signal: AbortSignal): Promise<Remains[]> {
  const [engines, privates, uris] = await Promise.all([findEngines(), findPrivateHypervisors(), listUris()]);
  const found = await Promise.all([
    keepVisible(engines),
    ...(await keepVisible(privates)).map((folders) => findOnPrivate(folders, signal)),
    ...uris.map((uri) => findAt(uri, signal)),
  ]);
  return found.flat();
}

/** The URIs of libvirt daemons that are not ours. Asking for a socket that is missing could start a daemon. */
async function listUris(): Promise<string[]> {
  const sockets = await Promise.all(systemSockets.map((path) => exists(path)));
  const records = await Promise.all((await listLabs().catch(() => [])).map((lab) => loadRecord(lab)));
  const given = records.flatMap((record) => (record?.hypervisor.kind === 'given' ? [record.hypervisor.uri] : []));
  return [...new Set([...(sockets.includes(true) ? [systemUri] : []), ...given])];
}

/** Objects of labs at a libvirt daemon that is not ours, made from this machine. */
async function findAt(uri: string, signal: AbortSignal): Promise<Remains[]> {
  if (await findSilence(uri, 3000, signal)) return [];
  const objects = await listObjectNames(uri, signal);
  const found = await Promise.all(
    objects.map(async (object): Promise<Remains[]> => {
      const parsed = parseObjectName(object);
      const mark = parseMark(await askVirsh(uri, ['desc', object], { signal }));
      if (!parsed || (mark && !mark.owner.endsWith(`@${hostname()}`))) return [];
      const list = async (over: AbortSignal): Promise<string[]> =>
        (await describeObjects(object, uri, over)).map((thing) => `${thing} at ${uri}`);
      const remove = async (work: Work): Promise<string[]> => {
        const things = await list(work.signal);
        await endLeftoverEngines(parsed.instance);
        await removeObjects(object, uri, work.signal);
        return things;
      };
      return [{ driver: 'vm', ...parsed, state: mark?.state, isBound: false, list, remove }];
    }),
  );
  return found.flat();
}

/** What is on a private hypervisor: its labs, or that it runs without any. */
async function findOnPrivate(folders: PrivateFolders, signal: AbortSignal): Promise<Remains[]> {
  const uri = privateUri(folders);
  // A daemon that does not answer may still have guests that run.
  const answer: string[] = await listObjectNames(uri, signal).catch(() => []);
  const guests = await leftoverGuests(folders.run);
  signal.throwIfAborted();
  const objects = [...new Set([...answer, ...guests.map(({ object }) => object)])];
  const bound = { driver: 'vm', state: folders.labs, isBound: true } as const;
  const found = objects.flatMap((object): Remains[] => {
    const parsed = parseObjectName(object);
    if (!parsed) return [];
    const guest = guests.find((each) => each.object === object);
    const running = guest ? [`process ${guest.pid}, a VM`] : [];
    const list = async (over: AbortSignal): Promise<string[]> => [
      ...running,
      ...(answer.includes(object) ? await describeObjects(object, uri, over) : []),
    ];
    const remove = async (work: Work): Promise<string[]> => {
      // It went with another one of these.
      if (!(await exists(folders.run))) return [];
      const things = await list(work.signal);
      await endLeftoverEngines(parsed.instance);
      if (guest) await endProcess(guest, 0);
      // A daemon without its files can undefine nothing. It has no lab that is well, and ends with all that it runs.
      if ((await privateDaemon(folders)) && (await hasFiles(folders))) await removeObjects(object, uri, work.signal);
      return [...things, ...(await leaveHypervisor(parsed.lab, work.signal, folders))];
    };
    return [{ ...bound, ...parsed, list, remove }];
  });
  if (found.length > 0 || (await listUsers(folders)).length > 0) return found;
  const remove = (work: Work): Promise<string[]> => leaveHypervisor('', work.signal, folders);
  return [
    {
      ...bound,
      lab: undefined,
      instance: '',
      list: () => Promise.resolve([`private hypervisor ${folders.run}`]),
      remove,
    },
  ];
}

/** Engines and plugins of commands that were killed. */
async function findEngines(): Promise<(Remains & { owner: Owner })[]> {
  const found = new Map<string, { owner: Owner; things: string[] }>();
  for (const { pid } of await findProcesses('environ', (word) => word.startsWith(`${engineMark}=`))) {
    const owner = await readOwner(pid);
    const mark = (await readWords(pid, 'environ')).find((word) => word.startsWith(`${engineMark}=`));
    const instance = mark?.slice(engineMark.length + 1) ?? '';
    if (!owner || instance === '') continue;
    const known = found.get(instance) ?? { owner, things: [] };
    known.things.push(`process ${pid}, an engine`);
    found.set(instance, known);
  }
  return [...found].map(([instance, { owner, things }]) => ({
    driver: 'vm',
    lab: owner.lab,
    instance,
    state: owner.state,
    isBound: false,
    owner,
    list: () => Promise.resolve(things),
    remove: async () => {
      await endLeftoverEngines(instance);
      return things;
    },
  }));
}

/** Ends the engine and plugins of a command that was killed. Otherwise they would continue to change things. */
export async function endLeftoverEngines(instance: string): Promise<void> {
  for (const engine of await findProcesses('environ', (word) => word === `${engineMark}=${instance}`))
    await endProcess(engine, 2000);
}
