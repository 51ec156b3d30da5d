import { dockerHost } from '@handwired/host';
import { not, printed, sh } from '../guards.ts';
import type { Sh, Template } from '../script.ts';

/** Images and containers. */
export const data = '/var/lib/docker';
export const log = '/run/dockerd.log';
export const socket = '/run/docker.sock';
/** All of Docker's own on a lab host, as words for sh: what it keeps, its sockets, mounts, pids, its shims' sockets, and a folder that containerd makes. */
export const files = `${data}/* /run/docker /run/docker.pid ${socket} /run/containerd /opt/containerd ${log}`;
export const cgroups = '/sys/fs/cgroup/docker';

/** The note says that the folder is ours; Docker 20 makes it, for a key. */
export const settings = '/etc/docker';
export const settingsNote = 'etc-docker';
export const key = `${settings}/key.json`;

/** Docker is asked without its command, which an emulated machine takes seconds to start: docs.docker.com/reference/api. */
const asked = ($: Template, path: string): Sh =>
  $`test -S ${socket} && curl -sf -m 10 --unix-socket ${socket} ${`http://docker/${path}`}`;

export const answers = ($: Template): Sh => asked($, '_ping');

export const isStarted = ($: Template): Sh => $`pgrep -x dockerd`;

export const hasContainer = ($: Template, name: string): Sh => asked($, `containers/${name}/json`);
export const hasImage = ($: Template, name: string): Sh => asked($, `images/${name}/json`);
export const hasNetwork = ($: Template, name: string): Sh => asked($, `networks/${name}`);

export const runs = ($: Template, name: string): Sh => sh(`${hasContainer($, name).cmd} | grep -q '"Running":true'`);

/** Ends the step with what to do when there is no Docker here: on a VM it is in the image, on a sandbox the machine's. */
export const wantDocker = sh(
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

/** Nothing runs in Docker's namespace any more: neither the daemon nor containerd, a shim or a proxy. */
export const isDeserted = ($: Template): Sh => not(printed($`ip netns pids ${dockerHost.netns}`));
