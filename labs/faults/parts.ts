import { $, type Command, not, type Sh, sh } from '@handwired/course';
import { type Container, type Plan, world } from '@handwired/host';

/** The lab host's link to the world. */
export const uplink = world.uplink.name;

/** A command that prints the name of the host's end of a container's link, whatever its name is. */
export const findOuterEnd = ({ name }: Container, inner: string): Sh => {
  const index = $`ip -n ${name} -o link show dev ${inner} | sed -n ${'s/^[0-9]*: [^@]*@if\\([0-9]*\\):.*/\\1/p'}`;
  return sh(`ip -o link | sed -n "s/^$(${index.cmd}): \\([^:@]*\\)[:@].*/\\1/p"`);
};

/** A command that changes a file and restores its time of modification (stat(1), touch(1)). */
export const keepFileTime = (file: string, { run, done }: Command): Command => ({
  ...(done ? { done } : {}),
  run: sh(`time=$(${$`stat -c %y ${file}`.cmd}); ${run.cmd}; ${$`touch -d "$time" ${file}`.cmd}`),
});

/** Matches lines of iptables-save with rules that are not the learner's: see cloud-init/scripts/60-respect.sh. */
const foreign = '--comment keep( |$)';

type Table = 'raw' | 'mangle' | 'nat' | 'filter';

/** Inserts a rule of iptables at a place of its chain, unless the chain has it. */
export const insertRule = (table: Table, chain: string, rule: readonly string[], at = 1): Command => ({
  done: $`iptables -t ${table} -C ${chain} ${rule}`,
  run: $`iptables -t ${table} -I ${chain} ${at} ${rule}`,
});

/** Deletes every copy of a rule of iptables. */
export const deleteRule = (table: Table, chain: string, rule: readonly string[]): Command => ({
  done: not($`iptables -t ${table} -C ${chain} ${rule}`),
  run: $`iptables -t ${table} -D ${chain} ${rule}`,
  repeat: true,
});

const drops = "iptables -S FORWARD | grep -qx -- '-P FORWARD DROP'";

/** Sets the policy of FORWARD to DROP. */
export const dropForwards = (): Command => ({ done: sh(drops), run: $`iptables -P FORWARD DROP` });
/** Sets the policy of FORWARD to ACCEPT, unless the lab host was made with DROP. */
export const acceptForwards = (): Command => ({
  done: sh(`! ${drops} || grep -qx 'FORWARD_POLICY=.\\?drop.\\?' /etc/handwired/lab.env`),
  run: $`iptables -P FORWARD ACCEPT`,
});

/** Sets a sysctl of the lab host, or of the netns. */
export const setSysctlTo = (key: string, value: string | number, netns?: string): Command => {
  const where = netns === undefined ? [] : ['ip', 'netns', 'exec', netns];
  return {
    done: sh(`test "$(${$`${where} sysctl -n ${key}`.cmd.trim()})" = ${value}`),
    run: sh($`${where} sysctl -w ${`${key}=${value}`}`.cmd.trim()),
  };
};

/** A command after which neither the containers nor the lab host remember the MAC address of a neighbour. */
export const flushNeighbours = ({ bridge, ct1, ct2 }: Plan): Sh =>
  $`ip neigh flush dev ${bridge}; ip -n ${ct1.name} neigh flush all; ip -n ${ct2.name} neigh flush all`;

/**
 * Rewrites the rules of a table that match an extended regular expression, each in its place: the table is saved, edited
 * by sed(1) and restored in one transaction, with its counters. Rules that are not the learner's stay. It uses the variant
 * of iptables, nft or legacy, that has such a rule. The expression sees lines as iptables-save(8) prints them, without
 * counters: `-A FORWARD -i br0 -j ACCEPT`. `by` replaces the match, with `\1` for its groups; `delete` removes the line.
 */
export function rewriteRules(table: Table, find: string, by: string | { delete: true }): Command {
  const counters = '^(\\[[0-9]+:[0-9]+\\] )';
  const edit =
    typeof by === 'string'
      ? `s~${counters}${find}~\\1${by.replaceAll(/\\(\d)/g, (_all, n: string) => `\\${Number(n) + 1}`)}~`
      : `\\~${counters}${find}~d`;
  const ours = $`grep -Ev -e ${foreign}`.cmd;
  const hasRule = (save: Sh): Sh => sh(`${save.cmd} | ${ours} | ${$`grep -Eq -e ${`${counters}${find}`}`.cmd}`);
  const edited = $`sed -E -e ${`/${foreign}/b`} -e ${edit}`.cmd;
  const restoreEdited = (save: Sh, restore: Sh): string => `${save.cmd} | ${edited} | ${restore.cmd}`;
  const nft = $`iptables-save -c -t ${table}`;
  // iptables-legacy creates a table when it is asked for one that is not in use. So ask the kernel first.
  const used = $`grep -qsx ${table} /proc/net/ip_tables_names`;
  const legacy = sh(`${used.cmd} && ${$`iptables-legacy-save -c -t ${table}`.cmd}`);
  const mixed = sh(`${nft.cmd} 2>&1 | grep -q 'is incompatible'`);
  const inNft = sh(`${hasRule(nft).cmd} && ${not(mixed).cmd}`);
  const inLegacy = sh(`${used.cmd} && ${hasRule(legacy).cmd}`);
  return {
    done: not(sh(`{ ${inNft.cmd}; } || { ${inLegacy.cmd}; }`)),
    run: sh(
      `if ${inNft.cmd}; then ${restoreEdited(nft, $`iptables-restore -c -T ${table}`)}; else ${restoreEdited(legacy, $`iptables-legacy-restore -c -T ${table}`)}; fi`,
    ),
  };
}

/** A test: something listens on a TCP port of a container, on another address than `except`. */
const hasListeners = ({ name }: Container, port: number, except?: string): Sh => {
  const all = $`ip netns exec ${name} ss -Hltn ${`sport = :${port}`}`.cmd;
  return sh(
    except === undefined ? `${all} | grep -q .` : `${all} | ${$`grep -vF ${` ${except}:${port} `}`.cmd} | grep -q .`,
  );
};

/** Ends the programs that listen on a TCP port of a container. With `except`: only if one listens on another address. */
export const stopListeners = (ct: Container, port: number, except?: string): Command => ({
  done: not(hasListeners(ct, port, except)),
  run: $`ip netns exec ${ct.name} fuser -sk ${`${port}/tcp`}`,
});

/** Starts a web server in a container, as a learner would. */
export const startServerOn = ({ name }: Container, { port, address }: { port: number; address: string }) => ({
  done: $`ip netns exec ${name} ss -Hltn ${`sport = :${port}`} | grep -qF ${` ${address}:${port} `}`,
  run: $`setsid --fork ip netns exec ${name} python3 -m http.server ${port} --bind ${address} --directory ${`/srv/${name}`} < /dev/null > /dev/null 2>&1`,
});
