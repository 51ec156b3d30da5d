import { compareItems, type Difference } from './diff.ts';
import type { Facts, Net } from './facts.ts';
import { type Item, netItems } from './items.ts';

/** The scope that differences of the world's own namespace have. */
const scope = 'the world';

/**
 * What of the world is not as it was before the learner came: its namespace's links, addresses, routes, rules, settings and
 * listeners, the process that serves it and, unless that is the very process of the baseline, its program. Anything at all: nothing that was seen of the world can be trusted.
 */
export function worldChanges(baseline: Facts, facts: Facts): Difference[] {
  if (facts.world.net === null || baseline.world.net === null) {
    return baseline.world.net === null
      ? []
      : [gone('namespace', 'its network namespace: no process holds it any more')];
  }
  const sameLife = isSameLife(baseline, facts);
  const [was, is] = [baseline.world, facts.world];
  const same = sameLife && was.pid === is.pid && was.start === is.start && was.inode === is.inode;
  const [before, after] = [baseline, facts].map(({ world }) => [
    ...serverItems(same ? { ...world, sha256: was.sha256 } : world, sameLife),
    ...netItems(owned(world.net as Net, sameLife), scope, { byNft: new Set() }).filter(({ key }) => !shared.test(key)),
  ]);
  return compareItems(before ?? [], after ?? []);
}

/** Has the lab host run on since? A sandbox that is made anew has another network namespace in the same boot. */
const isSameLife = ({ host }: Facts, { host: now }: Facts): boolean =>
  host.boot === now.boot && host.inode === now.inode;

/** Settings that come with a kernel module, at any time. */
const shared = /^net\/bridge\//;

/** Listeners with their process: a name is anybody's to take. */
const owned = (net: Net, sameLife: boolean): Net => ({
  ...net,
  sockets: net.sockets.map((socket) => ({
    ...socket,
    program: sameLife ? `${socket.program ?? 'nobody'} (process ${socket.pid ?? 0})` : socket.program,
  })),
});

function serverItems({ pid, start, inode, sha256, authority }: Facts['world'], sameLife: boolean): Item[] {
  const is = (key: string, text: string): Item => ({ subject: 'processes', scope, key, text, device: null });
  const kept = [
    is('program', `its program ${(sha256 ?? 'unreadable').slice(0, 12)}`),
    is('authority', `its certificate ${(authority ?? 'unreadable').replaceAll(/-.*-|\s/g, '').slice(-24)}`),
  ];
  const moment = `its process ${pid ?? 'none'}, started at ${start ?? 'no time'}, in namespace ${inode ?? 'none'}`;
  return sameLife ? [is('process', moment), ...kept] : kept;
}

const gone = (key: string, text: string): Difference => ({
  subject: 'namespaces',
  scope,
  change: 'gone',
  text,
  was: null,
  key,
});

/** The same as one reason, for what stands on the world; undefined: it is as it was. */
export function worldTrouble(baseline: Facts, facts: Facts): string | undefined {
  const found = worldChanges(baseline, facts);
  if (found.length === 0) return undefined;
  const shown = found
    .slice(0, 3)
    .map(({ change, text, was }) => `${change} ${text}${was === null ? '' : ` (was: ${was})`}`);
  return `the world beyond the uplink was changed: ${shown.join('; ')}. Next: lab reset`;
}
