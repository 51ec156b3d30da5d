import { both, either, not, sh } from '../guards.ts';
import type { Command, Scene, ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';

export const undo: ScriptOf<typeof chapter> = async ({ $, plan: { ct1, ct2 }, step }) => {
  await step('add', remove($, ct2.name), remove($, ct1.name));
};

/**
 * The kernel takes a network namespace apart after `ip netns del` has returned (cleanup_net in
 * net/core/net_namespace.c): its veths, which it would remove, are removed first, and its id is waited for.
 * With a process in it, it would live on without a name: that is refused.
 */
const remove = ($: Scene['$'], name: string): Command => ({
  done: both(not($`test -e /run/netns/${name}`), idIsFree),
  before: sh([refuseBusy($, name), removeLinks($, name), rememberId($, name)].map(({ cmd }) => cmd).join('\n')),
  run: $`ip netns del ${name}`,
});

const refuseBusy = ($: Scene['$'], name: string) => $`pids=$(ip netns pids ${name} 2>/dev/null)
if [ -n "$pids" ]; then echo "still running in ${name}:" $(ps -o pid=,comm= -p "$(echo "$pids" | paste -sd, -)") >&2; exit 1; fi`;

const removeLinks = ($: Scene['$'], name: string) =>
  $`for link in $(ip -o link show | grep -E ${` link-netns ${name}( |$)`} | sed 's/^[0-9]*: //; s/@.*//'); do ip link del "$link"; done`;

const rememberId = ($: Scene['$'], name: string) =>
  $`id=$(ip netns list | sed -n ${`s/^${name} (id: \\([0-9]*\\))$/\\1/p`})`;

const idIsFree = either(sh('test -z "${id-}"'), not(sh('ip netns list-id | grep -q "^nsid $id "')));
