import { dockerHost } from '@handwired/host';
import { hasLink, not, printed, sh } from '../guards.ts';
import { givingBack } from '../notes.ts';
import type { Command, ScriptOf, Template } from '../script.ts';
import type { chapter } from './chapter.ts';
import {
  cgroups,
  data,
  files,
  hasContainer,
  hasImage,
  hasNetwork,
  isDeserted,
  isStarted,
  key,
  settings,
  settingsNote,
} from './state.ts';

const { container, image, neighbour, netns, network, veth } = dockerHost;

export const undo: ScriptOf<typeof chapter> = async ({ $, step }) => {
  await step('look');
  await step(
    'network',
    { done: not(hasContainer($, neighbour)), run: $`docker rm -f ${neighbour}` },
    { done: not(hasNetwork($, network)), run: $`docker network rm ${network}` },
  );
  await step('run', { done: not(hasContainer($, container)), run: $`docker rm -f ${container}` });
  await step('image', { done: not(hasImage($, image)), run: $`docker rmi -f ${image}` });
  await step('daemon', stop($), ...killed($), ...removed($));
  await step(
    'host',
    // Its veth goes with it, some time after: removed first, it is gone when this ends.
    { done: not(hasLink($, veth)), run: $`ip link del ${veth}` },
    { done: not($`test -e /run/netns/${netns}`), run: $`ip netns del ${netns}` },
  );
};

/** It ends its containers first, each with 10 s for its own end. */
const stop = ($: Template): Command => ({
  done: not(isStarted($)),
  run: $`pkill -x dockerd; while pgrep -x dockerd > /dev/null; do sleep 0.1; done`,
});

/** What a daemon leaves running that was killed: its shims and proxies in its namespace, containers in their cgroups. */
const killed = ($: Template): Command[] => {
  const members = sh(`cat ${cgroups}/*/cgroup.procs 2>/dev/null`);
  return [
    { done: isDeserted($), run: $`ip netns pids ${netns} | xargs -r kill -9` },
    { done: not(printed(members)), run: sh(`${members.cmd} | xargs -r kill -9`) },
  ];
};

/** Files, and before them what is mounted among them: the namespaces that Docker keeps, and its folder on itself. */
const removed = ($: Template): Command[] => {
  const mounted = sh(
    String.raw`awk '$2 ~ "^/(run|var/lib)/docker(/|$)" && $1 != "handwired" { print $2 }' /proc/mounts`,
  );
  return [
    { done: not(printed(mounted)), run: sh(`${mounted.cmd} | sort -r | xargs -r umount`) },
    { done: not(printed(sh(`stat -c %n ${files}`))), run: sh(`rm -rf ${files}`) },
    // On a sandbox of a machine that has a Docker too, a mount called handwired covers that one's.
    { done: not($`test -d ${data} && ! mountpoint -q ${data}`), run: $`mountpoint -q ${data} || rmdir ${data}` },
    { done: not($`test -e ${key}`), run: $`rm -f ${key}` },
    givingBack($, settingsNote, $`rmdir ${settings}`, $`test -d ${settings}`),
    { done: not($`test -d ${cgroups}`), run: $`find ${cgroups} -depth -type d -exec rmdir {} +` },
  ];
};
