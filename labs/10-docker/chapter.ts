import { dockerHost } from '@handwired/host';
import {
  $,
  type ChapterContent,
  type Command,
  either,
  giveBack,
  hasAddress,
  hasLink,
  isNetns,
  isUp,
  not,
  noteBefore,
  printsSomething,
  sh,
  type Sh,
} from '@handwired/course';

const { address, bridge, container, gateway, image, inner, neighbour, netns, network, prefix, veth } = dockerHost;
/** Where cloud-init/files is on a lab host. */
const labFiles = '/usr/local/lib/handwired/files';

export const chapter: ChapterContent = {
  title: 'What Docker builds',
  needs: ['publish'],
  points: 5,
  steps: [
    {
      id: 'host',
      title: 'Give Docker a machine of its own: a network namespace with a cable to the lab host.',
      why: "Docker writes its bridge, its rules and its settings into the network namespace that it is started in. In one of its own they can't mix with yours. A new namespace begins with the machine's value of ip_forward, so that is set to what most machines have.",
      docker: {
        does: 'Starts in the namespace that it finds itself in, and takes that for its host.',
        source: 'daemon/daemon_unix.go: initNetworkController, configureNetworking',
      },
      build: () => makeHost(),
      undo: () => [
        // The kernel would remove the veth some time after the netns. Removed first, it is gone when this step ends.
        { done: not(hasLink(veth)), run: $`ip link del ${veth}` },
        { done: not($`test -e /run/netns/${netns}`), run: $`ip netns del ${netns}` },
      ],
    },
    {
      id: 'daemon',
      title: 'Start the Docker daemon in there.',
      why: "Only the network namespace is another: files, processes and the socket that the `docker` command talks to are the lab host's. The file of settings says how to run on a lab host: with cgroups but without systemd, and without power over the machine's devices.",
      docker: {
        does: 'Makes docker0 before there is any container, turns forwarding on, and sets up its chains.',
        source: 'daemon/daemon_unix.go: initBridgeDriver',
      },
      build: () => [startDaemon(), { done: isAnswering(), run: waitForDaemon() }],
      undo: () => [stopDaemon(), ...killLeftProcesses(), ...removeFiles()],
    },
    {
      id: 'image',
      title: 'Make an image without a registry.',
      why: 'An image is a root folder in a tar file and a few words about it, such as the command to start. This one has busybox and a page.',
      docker: {
        does: 'Unpacks the tar file as the one layer of a new image.',
        source: 'daemon/images/image_import.go: ImportImage',
      },
      build: () => ({
        done: hasImage(image),
        run: $`sh ${labFiles}/docker-image | docker import --change 'CMD ["httpd", "-f", "-h", "/www"]' - ${image}`,
      }),
      undo: () => ({ done: not(hasImage(image)), run: $`docker rmi -f ${image}` }),
    },
    {
      id: 'run',
      title: 'Run a container with a published port.',
      why: 'One command for all that you did in chapters 01 to 08. Look for each of your objects afterwards.',
      docker: {
        does: "Makes the container's network before it starts the container's process in it.",
        source: 'daemon/container_operations.go: initializeNetworking, allocateNetwork, connectToNetwork',
      },
      build: ({ hostPort }) => runContainer(container, $`docker run -d --name ${container} -p ${hostPort}:80 ${image}`),
      undo: () => ({ done: not(hasContainer(container)), run: $`docker rm -f ${container}` }),
    },
    {
      id: 'network',
      title: 'Make a network of your own, and run a second container on it.',
      why: 'Docker treats its default bridge in an old way. On a network of yours containers know each other by name: their resolver is 127.0.0.11, inside of their own namespace.',
      docker: {
        does: "Listens for DNS on a port of its own choice in the container's namespace, and has rules there that lead 127.0.0.11:53 to it.",
        source: 'daemon/libnetwork/sandbox_dns_unix.go: startResolver; resolver_unix.go: setupIptablesNAT',
      },
      build: () => [
        { done: hasNetwork(network), run: $`docker network create ${network}` },
        runContainer(neighbour, $`docker run -d --name ${neighbour} --network ${network} ${image}`),
      ],
      undo: () => [
        { done: not(hasContainer(neighbour)), run: $`docker rm -f ${neighbour}` },
        { done: not(hasNetwork(network)), run: $`docker network rm ${network}` },
      ],
    },
    {
      id: 'look',
      title: 'Ask it from the lab host, and look at what Docker says that it made.',
      why: "The lab host is an outside client of this Docker: what it asks for comes in by Docker's uplink and passes PREROUTING.",
      docker: {
        does: 'Tells what it has noted down itself, not what the kernel has: compare the two.',
        source: 'daemon/network.go: FindNetwork',
      },
      build: ({ hostPort }) => [
        { run: $`docker ps` },
        { run: $`docker network inspect bridge` },
        { run: $`curl -sS -m 10 http://${address}:${hostPort}/` },
      ],
    },
  ],
  cleanup: {
    title: 'Take Docker away: containers, network, image, daemon, its files and its namespace.',
    why: 'A daemon that is killed leaves its containers running, a mount for each of their namespaces, and all of its files. So Docker itself is asked first.',
    docker: {
      does: 'Ends its containers when it ends. Its bridge, its rules, forwarding and its files stay for the next start.',
      source: 'daemon/daemon.go: Shutdown, shutdownContainer',
    },
  },
};

/** Docker's folder of images and containers. */
const data = '/var/lib/docker';
const log = '/run/dockerd.log';
const socket = '/run/docker.sock';
/** All files of Docker on a lab host, as words for sh: data, sockets, mounts, pids, the shims' sockets, and a folder of containerd's. */
const files = `${data}/* /run/docker /run/docker.pid ${socket} /run/containerd /opt/containerd ${log}`;
const cgroups = '/sys/fs/cgroup/docker';

/** The folder that Docker 20 makes for its key. The note says that it was not there before. */
const settings = '/etc/docker';
const settingsNote = 'etc-docker';
const key = `${settings}/key.json`;

/** Asks Docker by its API (docs.docker.com/reference/api): the docker command takes seconds to start on an emulated machine. */
const askDocker = (path: string): Sh =>
  $`test -S ${socket} && curl -sf -m 10 --unix-socket ${socket} ${`http://docker/${path}`}`;

const isAnswering = (): Sh => askDocker('_ping');
const isStarted = (): Sh => $`pgrep -x dockerd`;
const hasContainer = (name: string): Sh => askDocker(`containers/${name}/json`);
const hasImage = (name: string): Sh => askDocker(`images/${name}/json`);
const hasNetwork = (name: string): Sh => askDocker(`networks/${name}`);
const isRunning = (name: string): Sh => sh(`${hasContainer(name).cmd} | grep -q '"Running":true'`);

/**
 * Ends the step with an error that says what to do when there is no Docker. On a VM Docker is in the image; a sandbox
 * uses this machine's.
 */
const wantDocker = sh(
  [
    'for program in dockerd docker busybox; do',
    '  command -v "$program" > /dev/null && continue',
    "  next='lab setup docker'",
    "  ! grep -qx LAB_DRIVER=vm /etc/handwired/lab.env || next='lab destroy && lab up'",
    '  echo "there is no $program on this lab host. Next: $next" >&2',
    '  exit 69',
    'done',
  ].join('\n'),
);

function makeHost(): Command[] {
  const [near, far] = [`${gateway}/${prefix}`, `${address}/${prefix}`];
  const forwardsNot = $`test "$(ip netns exec ${netns} sysctl -n net.ipv4.ip_forward)" = 0`;
  return [
    {
      done: isNetns(netns),
      before: sh(`${wantDocker.cmd}\n${$`rm -f /run/netns/${netns}`.cmd}`),
      run: $`ip netns add ${netns}`,
    },
    { done: hasLink(veth), run: $`ip link add ${veth} type veth peer name ${inner} netns ${netns}` },
    { done: hasAddress(veth, near), run: $`ip addr add ${near} dev ${veth}` },
    { done: isUp(veth), run: $`ip link set ${veth} up` },
    { done: hasAddress(inner, far, netns), run: $`ip -n ${netns} addr add ${far} dev ${inner}` },
    { done: isUp(inner, netns), run: $`ip -n ${netns} link set ${inner} up` },
    { done: isUp('lo', netns), run: $`ip -n ${netns} link set lo up` },
    {
      // Once Docker runs, it sets the value itself.
      done: either(forwardsNot, hasLink(bridge, netns)),
      run: $`ip netns exec ${netns} sysctl -w net.ipv4.ip_forward=0`,
    },
  ];
}

/** Starts the daemon in the background, so that it outlives the ssh session and holds none of its channels (setsid(1)). */
function startDaemon(): Command {
  const daemon = $`nsenter --net=/run/netns/${netns} dockerd --config-file ${labFiles}/docker.json`;
  const change = { done: isStarted(), run: sh(`setsid --fork ${daemon.cmd} < /dev/null > ${log} 2>&1`) };
  return noteBefore(settingsNote, $`echo made`, change, not($`test -d ${settings}`));
}

/**
 * Waits until the daemon listens or has ended. Then `docker version` waits for its answer or fails. The process is
 * called setsid, nsenter and dockerd in turn.
 */
const waitForDaemon = (): Sh =>
  $`while pgrep -x ${'setsid|nsenter|dockerd'} > /dev/null && ! test -S ${socket}; do sleep 0.1; done; docker version`;

/** Runs a container. One of the same name that has ended is removed first. */
const runContainer = (name: string, run: Sh): Command => ({
  done: isRunning(name),
  before: sh(`if ${hasContainer(name).cmd}; then ${$`docker rm -f ${name}`.cmd}; fi > /dev/null`),
  run,
});

/** Stops the daemon. It stops its containers first, with 10 s for each. */
const stopDaemon = (): Command => ({
  done: not(isStarted()),
  run: $`pkill -x dockerd; while pgrep -x dockerd > /dev/null; do sleep 0.1; done`,
});

/** Ends what a killed daemon left running: shims and proxies in its netns, containers in their cgroups. */
function killLeftProcesses(): Command[] {
  const members = sh(`cat ${cgroups}/*/cgroup.procs 2>/dev/null`);
  return [
    { done: not(printsSomething($`ip netns pids ${netns}`)), run: $`ip netns pids ${netns} | xargs -r kill -9` },
    { done: not(printsSomething(members)), run: sh(`${members.cmd} | xargs -r kill -9`) },
  ];
}

/** Unmounts what is mounted among the files (namespaces that Docker keeps, its folder on itself), then removes them. */
function removeFiles(): Command[] {
  const mounted = sh(
    String.raw`awk '$2 ~ "^/(run|var/lib)/docker(/|$)" && $1 != "handwired" { print $2 }' /proc/mounts`,
  );
  return [
    { done: not(printsSomething(mounted)), run: sh(`${mounted.cmd} | sort -r | xargs -r umount`) },
    { done: not(printsSomething(sh(`stat -c %n ${files}`))), run: sh(`rm -rf ${files}`) },
    // On a sandbox whose machine has a Docker too, a mount named handwired hides that Docker's folder.
    { done: not($`test -d ${data} && ! mountpoint -q ${data}`), run: $`mountpoint -q ${data} || rmdir ${data}` },
    { done: not($`test -e ${key}`), run: $`rm -f ${key}` },
    giveBack(settingsNote, $`rmdir ${settings}`, $`test -d ${settings}`),
    {
      done: not($`test -d ${cgroups}`),
      run: $`test ! -d ${cgroups} || find ${cgroups} -depth -type d -exec rmdir {} +`,
    },
  ];
}
