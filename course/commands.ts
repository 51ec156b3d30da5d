/**
 * The commands of chapters and faults: zx templates that write them down, and tests of state that make them safe to
 * repeat.
 */
import { type Container, createRecordingShell } from '@handwired/host';

/** A command line for POSIX sh. `$` makes one and quotes its values; `sh` takes a text as it is. */
export interface Sh {
  readonly cmd: string;
}

/** zx's `$` as chapters use it. An array becomes several words. */
type Template = (pieces: TemplateStringsArray, ...values: (string | number | readonly string[])[]) => Sh;

let halted: Template | undefined;

/**
 * zx's `$`, halted: it runs nothing. It only writes a command line down, with its values quoted for POSIX sh. zx is loaded
 * with the first command.
 */
export const $: Template = (pieces, ...values) => {
  halted ??= createRecordingShell().$({ halt: true });
  return halted(pieces, ...values);
};

/** One command of a step, with what makes it safe to interrupt and repeat. A learner is shown only `run`. */
export interface Command {
  /** The plain command, as a learner would type it. */
  run: Sh;
  /**
   * A test of state: true when there is nothing (left) to do. It is asked before `run`, and again after it until it is
   * true or the deadline passes, for what the kernel does later. Absent: the command changes nothing and always runs.
   */
  done?: Sh;
  /**
   * A second test, asked when `done` is false. When it is false too, `run` is skipped: somebody else has removed the
   * object already.
   */
  when?: Sh;
  /** Runs before the change. It notes the old state on the lab host, so that undo can restore it. */
  before?: Sh;
  /** Runs after the change was undone. It removes that note. */
  after?: Sh;
  /** `run` removes one of several objects, so it is repeated until `done` is true. */
  repeat?: true;
}

/** A command line that is written as it stands: nothing in it is quoted. */
export const sh = (cmd: string): Sh => ({ cmd });
/** Succeeds when the command fails. */
export const not = ({ cmd }: Sh): Sh => sh(`! { ${cmd}; }`);
/** Succeeds when both commands do. */
export const both = (one: Sh, other: Sh): Sh => sh(`${one.cmd} && ${other.cmd}`);
/** Succeeds when one of the commands does. */
export const either = (one: Sh, other: Sh): Sh => sh(`{ ${one.cmd} || ${other.cmd}; }`);
/** Succeeds when the command prints something: `ip` exits 0 with no output when a filter matches nothing. */
export const printsSomething = ({ cmd }: Sh): Sh => sh(`${cmd} | grep -q .`);

// Tests of a lab host's state. Each answers by its exit status and changes nothing.

/** The name is a mounted netns. A plain file of that name is what an interrupted `ip netns add` leaves. */
export const isNetns = (name: string): Sh => $`test "$(stat -fc %T /run/netns/${name})" = nsfs`;

/** The lab host, or the netns, has the link. */
export const hasLink = (link: string, netns?: string): Sh =>
  netns === undefined ? $`ip link show dev ${link}` : $`ip -n ${netns} link show dev ${link}`;

/** The link of the lab host, or of the netns, is switched on. */
export const isUp = (link: string, netns?: string): Sh =>
  printsSomething(netns === undefined ? $`ip link show dev ${link} up` : $`ip -n ${netns} link show dev ${link} up`);

/** `address` is IPv4 with its prefix length: `172.18.0.1/16`. */
export const hasAddress = (link: string, address: string, netns?: string): Sh => {
  const show = netns === undefined ? $`ip -4 addr show dev ${link}` : $`ip -n ${netns} -4 addr show dev ${link}`;
  return sh(`${show.cmd} | ${$`grep -qF ${` ${address} `}`.cmd}`);
};

/** The link is a port of the bridge. */
export const isPort = (link: string, bridge: string): Sh =>
  printsSomething($`ip link show dev ${link} master ${bridge}`);

/** The link is a bridge. */
export const isBridge = (link: string): Sh => $`ip -d link show dev ${link} | grep -q '^ *bridge '`;

/** The netns has a default route by that gateway. */
export const hasDefaultRoute = (gateway: string, netns: string): Sh =>
  $`ip -n ${netns} route show default | grep -qF ${`via ${gateway} `}`;

/** The container's link `inner` is the other end of its veth in the host: it names the other's index (`eth0@if7`). */
export const isPaired = (inner: string, { name, veth }: Container): Sh => {
  const index = $`ip -o link show dev ${veth} | cut -d: -f1`;
  return sh(
    `test -n "$(${index.cmd})" && ${$`ip -n ${name} -o link show dev ${inner}`.cmd} | grep -q "@if$(${index.cmd}):"`,
  );
};

// Rules of iptables.

/** The comment in every rule that our build adds. Undo removes rules with it and no others; a learner's rule lacks it. */
export const mark = ['-m', 'comment', '--comment', 'handwired'] as const;

const replaceAction = (rule: Sh, action: '-C' | '-D'): Sh => {
  const cmd = rule.cmd.replace(' -A ', ` ${action} `);
  if (cmd === rule.cmd) throw new TypeError(`not an appending iptables command: ${rule.cmd}`);
  return sh(cmd);
};

/** Adds the rule of an `iptables ... -A ...`, unless the very same rule is there, which iptables -C tests. */
export const appendRule = (rule: Sh): Command => ({ done: replaceAction(rule, '-C'), run: rule });

/** Removes every copy of the rule that an `iptables ... -A ...` adds. */
export const removeRule = (rule: Sh): Command => ({
  done: not(replaceAction(rule, '-C')),
  run: replaceAction(rule, '-D'),
  repeat: true,
});

// Notes: the state before a change, kept on the lab host until undo restores it.

/**
 * Where the notes are, one file a change. A note is made whole or not at all, is never made twice, and goes when undo has
 * given its content back; the folder goes with the last one.
 */
export const notesFolder = '/run/handwired-build';

/** The file of a note. */
export const noteFile = (name: string): string => `${notesFolder}/${name}`;

const hasNote = (name: string): Sh => $`test -e ${noteFile(name)}`;

/** Writes down what `read` prints, unless it is written down already. */
const writeNote = (name: string, read: Sh): Sh => {
  const file = noteFile(name);
  const write = $`> ${file}.new && mv ${file}.new ${file}`.cmd;
  return sh(`mkdir -p ${notesFolder} && { ${hasNote(name).cmd} || { ${read.cmd} ${write}; }; }`);
};

const removeNote = (name: string): Sh =>
  sh(`${$`rm -f ${noteFile(name)} ${noteFile(name)}.new`.cmd}; rmdir ${notesFolder} 2>/dev/null || true`);

/**
 * A change whose previous state is noted first: what `read` prints. With `when`, it is noted only if that test is
 * true.
 */
export const noteBefore = (name: string, read: Sh, change: Command, when = sh('true')): Command => ({
  ...change,
  before: sh(`if ${when.cmd}; then ${writeNote(name, read).cmd}; fi`),
});

/** Undoes a noted change by `run`, if `when` is true. Without a note nothing is done, because the change was not ours. */
export const giveBack = (name: string, run: Sh, when = sh('true')): Command => ({
  done: not(hasNote(name)),
  when,
  run,
  after: removeNote(name),
});

/** Prints settings as lines of sysctl.conf(5). Keys have slashes, because a dot may be part of an interface's name. */
const readSysctls = (keys: readonly string[]): Sh =>
  sh(`(cd /proc/sys && grep -H . ${keys.join(' ')} | sed 's/:/ = /')`);

/** `sysctl -w KEY=1`, with a note. `also` are keys (sh patterns) that the kernel changes along with it. */
export const setSysctl = (note: string, key: string, also: readonly string[] = []): Command =>
  noteBefore(note, readSysctls([key.replaceAll('.', '/'), ...also]), {
    done: $`test "$(sysctl -n ${key})" = 1`,
    run: $`sysctl -w ${key}=1`,
  });

/** Restores every value that `setSysctl` noted. Interfaces that are gone are skipped. */
export const restoreSysctl = (note: string): Command => giveBack(note, $`sysctl -q -e -p ${noteFile(note)}`);
