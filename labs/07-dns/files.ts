import type { Container } from '@handwired/host';
import type { Sh, Template } from '../script.ts';

/** Where ip-netns(8) looks for a container's own /etc/resolv.conf. */
export const settings = '/etc/netns';
export const folderOf = ({ name }: Container): string => `${settings}/${name}`;
export const fileOf = (ct: Container): string => `${folderOf(ct)}/resolv.conf`;

/** The note that the settings folder is ours, and the one with a container's own file as it was before ours. */
export const folderNote = 'etc-netns';
export const fileNote = ({ name }: Container): string => `resolv.conf-${name}`;

/** The file holds what build writes, and nothing else. */
export const isOurs = ($: Template, ct: Container, resolver: string): Sh =>
  $`echo nameserver ${resolver} | cmp -s - ${fileOf(ct)}`;
