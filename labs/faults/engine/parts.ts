import { type Container, world } from '@handwired/host';
import { not, sh } from '../../guards.ts';
import type { Command, Sh, Template } from '../../script.ts';

/** The lab host's way to the world. */
export const uplink = world.uplink.name;

/** A command that prints the name of the other end of a container's link, whatever it is called. */
export const outerEnd = ($: Template, { name }: Container, inner: string): Sh => {
  const index = $`ip -n ${name} -o link show dev ${inner} | sed -n ${'s/^[0-9]*: [^@]*@if\\([0-9]*\\):.*/\\1/p'}`;
  return sh(`ip -o link | sed -n "s/^$(${index.cmd}): \\([^:@]*\\)[:@].*/\\1/p"`);
};

/** A change of a file, after which its time of change is what it was (stat(1), touch(1)). */
export const keepingTime = ($: Template, file: string, { run, done }: Command): Command => ({
  ...(done ? { done } : {}),
  run: sh(`time=$(${$`stat -c %y ${file}`.cmd}); ${run.cmd}; ${$`touch -d "$time" ${file}`.cmd}`),
});

/** What was there before the learner, in a line of iptables-save: see cloud-init/scripts/60-respect.sh. */
const foreign = '--comment keep( |$)';

type Table = 'raw' | 'mangle' | 'nat' | 'filter';

/**
 * Rewrites the rules of a table that match an extended regular expression, each where it stands: the table is saved,
 * edited by sed(1) and restored in one transaction, with its counters; what is not the learner's stays. Of the two variants of iptables the one that has
 * such a rule. Lines are as iptables-save(8) prints them, without counters: `-A FORWARD -i br0 -j ACCEPT`. `by` is what
 * sed puts in place of the match, `\1` its groups; with `delete` the line goes.
 */
export function rewrite($: Template, table: Table, find: string, by: string | { delete: true }): Command {
  const counters = '^(\\[[0-9]+:[0-9]+\\] )';
  const edit =
    typeof by === 'string'
      ? `s~${counters}${find}~\\1${by.replaceAll(/\\(\d)/g, (_all, n: string) => `\\${Number(n) + 1}`)}~`
      : `/${counters}${find}/d`;
  const ours = $`grep -Ev -e ${foreign}`.cmd;
  const found = (save: Sh): Sh => sh(`${save.cmd} | ${ours} | ${$`grep -Eq -e ${`${counters}${find}`}`.cmd}`);
  const edited = $`sed -E -e ${`/${foreign}/b`} -e ${edit}`.cmd;
  const through = (save: Sh, restore: Sh): string => `${save.cmd} | ${edited} | ${restore.cmd}`;
  const nft = $`iptables-save -c -t ${table}`;
  // Asking iptables-legacy for a table that is not in use makes it one.
  const used = $`grep -qsx ${table} /proc/net/ip_tables_names`;
  const legacy = sh(`${used.cmd} && ${$`iptables-legacy-save -c -t ${table}`.cmd}`);
  const mixed = sh(`${nft.cmd} 2>&1 | grep -q 'is incompatible'`);
  const inNft = sh(`${found(nft).cmd} && ${not(mixed).cmd}`);
  const inLegacy = sh(`${used.cmd} && ${found(legacy).cmd}`);
  return {
    done: not(sh(`{ ${inNft.cmd}; } || { ${inLegacy.cmd}; }`)),
    run: sh(
      `if ${inNft.cmd}; then ${through(nft, $`iptables-restore -c -T ${table}`)}; else ${through(legacy, $`iptables-legacy-restore -c -T ${table}`)}; fi`,
    ),
  };
}
