import type { Container } from '@handwired/host';
import type { Sh, Template } from './script.ts';

/** Tests of a lab host's state for `done`: POSIX sh, true or false by exit status, nothing printed or changed. */

export const sh = (cmd: string): Sh => ({ cmd });
export const not = ({ cmd }: Sh): Sh => sh(`! { ${cmd}; }`);
export const both = (one: Sh, other: Sh): Sh => sh(`${one.cmd} && ${other.cmd}`);
export const either = (one: Sh, other: Sh): Sh => sh(`{ ${one.cmd} || ${other.cmd}; }`);

/** `ip` printed something: it exits 0 with no output when a filter matches nothing. */
export const printed = ({ cmd }: Sh): Sh => sh(`${cmd} | grep -q .`);

/** A real netns mount: `ip netns add` that was cut off leaves a plain file under the same name. */
export const isNetns = ($: Template, name: string): Sh => $`test "$(stat -fc %T /run/netns/${name})" = nsfs`;

/** A link of the lab host itself, or of a container. */
export const hasLink = ($: Template, link: string, netns?: string): Sh =>
  netns === undefined ? $`ip link show dev ${link}` : $`ip -n ${netns} link show dev ${link}`;

export const isUp = ($: Template, link: string, netns?: string): Sh =>
  printed(netns === undefined ? $`ip link show dev ${link} up` : $`ip -n ${netns} link show dev ${link} up`);

/** `address` with its prefix length: `172.18.0.1/16`. */
export const hasAddress = ($: Template, link: string, address: string, netns?: string): Sh => {
  const show = netns === undefined ? $`ip -4 addr show dev ${link}` : $`ip -n ${netns} -4 addr show dev ${link}`;
  return sh(`${show.cmd} | ${$`grep -qF ${` ${address} `}`.cmd}`);
};

export const isPort = ($: Template, link: string, bridge: string): Sh =>
  printed($`ip link show dev ${link} master ${bridge}`);

export const isBridge = ($: Template, link: string): Sh => $`ip -d link show dev ${link} | grep -q '^ *bridge '`;

export const hasDefaultRoute = ($: Template, gateway: string, netns: string): Sh =>
  $`ip -n ${netns} route show default | grep -qF ${`via ${gateway} `}`;

/** The container's `inner` is the other end of its veth in the host: it names the other's index (`eth0@if7`). */
export const isPaired = ($: Template, inner: string, { name, veth }: Container): Sh => {
  const index = $`ip -o link show dev ${veth} | cut -d: -f1`;
  return sh(
    `test -n "$(${index.cmd})" && ${$`ip -n ${name} -o link show dev ${inner}`.cmd} | grep -q "@if$(${index.cmd}):"`,
  );
};
