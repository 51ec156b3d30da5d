import { dockerHost } from '@handwired/host';
import { either, hasAddress, hasLink, isNetns, isUp, not, sh } from '../guards.ts';
import { noting } from '../notes.ts';
import type { Command, ScriptOf, Sh, Template } from '../script.ts';
import type { chapter } from './chapter.ts';
import {
  answers,
  hasContainer,
  hasImage,
  hasNetwork,
  isStarted,
  log,
  runs,
  settings,
  settingsNote,
  socket,
  wantDocker,
} from './state.ts';

const { address, bridge, container, gateway, image, inner, neighbour, netns, network, prefix, veth } = dockerHost;
const files = '/usr/local/lib/handwired/files';

export const build: ScriptOf<typeof chapter> = async ({ $, plan, step }) => {
  await step('host', ...host($));
  await step('daemon', start($), { done: answers($), run: awaited($) });
  await step('image', {
    done: hasImage($, image),
    run: $`sh ${files}/docker-image | docker import --change 'CMD ["httpd", "-f", "-h", "/www"]' - ${image}`,
  });
  await step('run', run($, container, $`docker run -d --name ${container} -p ${plan.hostPort}:80 ${image}`));
  await step(
    'network',
    { done: hasNetwork($, network), run: $`docker network create ${network}` },
    run($, neighbour, $`docker run -d --name ${neighbour} --network ${network} ${image}`),
  );
  await step(
    'look',
    { run: $`docker ps` },
    { run: $`docker network inspect bridge` },
    { run: $`curl -sS -m 10 http://${address}:${plan.hostPort}/` },
  );
};

const host = ($: Template): Command[] => {
  const [near, far] = [`${gateway}/${prefix}`, `${address}/${prefix}`];
  const forwarding = $`test "$(ip netns exec ${netns} sysctl -n net.ipv4.ip_forward)" = 0`;
  return [
    {
      done: isNetns($, netns),
      before: { cmd: `${wantDocker.cmd}\n${$`rm -f /run/netns/${netns}`.cmd}` },
      run: $`ip netns add ${netns}`,
    },
    { done: hasLink($, veth), run: $`ip link add ${veth} type veth peer name ${inner} netns ${netns}` },
    { done: hasAddress($, veth, near), run: $`ip addr add ${near} dev ${veth}` },
    { done: isUp($, veth), run: $`ip link set ${veth} up` },
    { done: hasAddress($, inner, far, netns), run: $`ip -n ${netns} addr add ${far} dev ${inner}` },
    { done: isUp($, inner, netns), run: $`ip -n ${netns} link set ${inner} up` },
    { done: isUp($, 'lo', netns), run: $`ip -n ${netns} link set lo up` },
    {
      // Once Docker is there, the value is Docker's.
      done: either(forwarding, hasLink($, bridge, netns)),
      run: $`ip netns exec ${netns} sysctl -w net.ipv4.ip_forward=0`,
    },
  ];
};

/** Into the background, so that it outlives the ssh session and holds none of its channels (setsid(1)). */
const start = ($: Template): Command => {
  const daemon = $`nsenter --net=/run/netns/${netns} dockerd --config-file ${files}/docker.json`;
  const change = { done: isStarted($), run: { cmd: `setsid --fork ${daemon.cmd} < /dev/null > ${log} 2>&1` } };
  return noting($, settingsNote, $`echo made`, change, not($`test -d ${settings}`));
};

/** It listens before it answers: the last command waits for that, or says that it has ended. Its process has three names in turn. */
const awaited = ($: Template): Sh =>
  $`while pgrep -x ${'setsid|nsenter|dockerd'} > /dev/null && ! test -S ${socket}; do sleep 0.1; done; docker version`;

/** A container that has ended would be in the way of its name. */
const run = ($: Template, name: string, command: Sh): Command => ({
  done: runs($, name),
  before: sh(`if ${hasContainer($, name).cmd}; then ${$`docker rm -f ${name}`.cmd}; fi > /dev/null`),
  run: command,
});
