import type { Expected } from './case.ts';
import type { Line } from './lines.ts';
import type { Mutant } from './mutate.ts';

/**
 * What a command of the course's build is for: the check that must fail when it is not there or does something else.
 * Written down from the step's purpose, never from what the checker said. `CT` is the line's own container.
 */
const purpose: Record<string, string | { same: string }> = {
  'namespaces/add': 'namespaces.CT',
  'bridge/add': 'bridge.exists',
  'bridge/address': 'bridge.address',
  'bridge/up': 'bridge.up',
  'veth/add': 'veth.CT',
  'veth/move': 'veth.CT',
  'veth/plug': 'veth.CT-port',
  'veth/up': 'veth.CT-port',
  'addressing/loopback': 'addressing.CT-link',
  'addressing/rename': 'addressing.CT-link',
  'addressing/address': 'addressing.CT-address',
  'addressing/up': 'addressing.CT-link',
  'addressing/route': 'addressing.CT-route',
  'connectivity/allow': 'connectivity.ct1-ct2',
  'egress/protect': {
    same: 'without it neighbours on the LAN reach containers directly, and the plan does not forbid that',
  },
  'egress/out': 'egress.ct1',
  'egress/back': 'egress.ct1',
  'egress/masquerade': 'egress.masquerade',
  'egress/forwarding': 'egress.ct1',
  'dns/folder': 'dns.CT',
  'dns/resolver': 'dns.CT',
  'publish/serve': 'publish.server',
  'publish/dnat': 'publish.outside',
  'publish/local': 'publish.host-address',
  'publish/accept': 'publish.outside',
  'publish/guard': {
    same: "without it the containers reach the lab host's loopback, and the plan does not forbid that",
  },
  'publish/loopback': 'publish.loopback',
  'publish/source': 'publish.loopback',
  'publish/hairpin': { same: 'without it no container can use the published port, and the plan does not ask for that' },
};

/** Where an altered command does harm that its purpose does not tell. By class, step, and what the command became. */
const altered: [fault: string, became: RegExp, expected: string | { same: string }][] = [
  ['name veth/add', /^ip link add cable/, 'veth.CT-port'],
  ['interface veth/move', /set veth-ct\d netns/, 'veth.CT-port'],
  ['interface egress/protect', /! -i br-keep/, 'connectivity.OTHER-CT'],
  ['verdict egress/protect', /(?<!! )-i br0/, 'connectivity.OTHER-CT'],
  ['interface egress/out', /! -o br-keep/, { same: 'the rule lets out everything that it must, and more' }],
  [
    'interface egress/masquerade',
    /! -o br-keep/,
    { same: 'the rule translates everything that leaves by the uplink, and more' },
  ],
  ['direction publish/local', /--src-type/, 'publish.outgoing'],
];

/** Moved to the start, a command fails that needs another one; these need none. */
const independent =
  /^((namespaces|bridge|veth)\/add$|connectivity\/allow|egress\/|dns\/folder|publish\/(dnat|local|accept|guard|source|hairpin))/;

/** Moved to the end, a command comes after others that need it. */
const needed: Record<string, string> = {
  'namespaces/add': 'veth.CT',
  'bridge/add': 'bridge.address',
  'veth/add': 'veth.CT',
  'veth/move': 'addressing.CT-link',
  'addressing/rename': 'addressing.CT-address',
  'addressing/address': 'addressing.CT-route',
  'addressing/up': 'addressing.CT-route',
  'dns/folder': 'dns.CT',
};

/** Whether the plan asks for what a line is for. */
export const isAskedFor = ({ step }: Line): boolean => typeof purpose[step] === 'string';

export const isRule = ({ cmd }: Line): boolean => cmd.startsWith('iptables ');

/** What must come of a mutant of the build. Doubled rules are no fault before the cleanup, which has one -D for each. */
export function expectedOf(mutant: Mutant): Expected {
  const { line, moved } = mutant;
  if (mutant.class === 'double') {
    return isRule(line) ? { fails: 'cleanup.rules' } : { same: 'the second command fails, or changes nothing' };
  }
  if (moved === 'start' && independent.test(line.step))
    return { same: 'the command needs none of the commands before it' };
  if (moved === 'end' && needed[line.step] === undefined) return { same: 'no later command needs it' };
  const told = moved === 'end' ? needed[line.step] : (exception(mutant) ?? purpose[line.step]);
  if (told === undefined) throw new Error(`nobody wrote down what ${line.step} is for`);
  if (typeof told !== 'string') return told;
  const other = line.ct === 'ct1' ? 'ct2' : 'ct1';
  return { fails: told.replace('CT', line.ct ?? '').replace('OTHER', other) };
}

const exception = ({ class: kind, line, became }: Mutant): string | { same: string } | undefined =>
  altered.find(([fault, pattern]) => fault === `${kind} ${line.step}` && pattern.test(became ?? ''))?.[2];

/** What must fail when a line of the cleanup is missing or deletes something else. */
export function expectedOfCleanup({ step, cmd }: Line): Expected {
  if (/^(rmdir|rm \/(run|srv))/.test(cmd))
    return { same: 'an empty folder, a web page or a log file is not part of the network' };
  const subject = /^iptables/.test(cmd)
    ? 'rules'
    : ({ 'publish/serve': 'processes', 'egress/forwarding': 'sysctls', 'dns/resolver': 'files', 'bridge/add': 'links' }[
        step
      ] ?? 'namespaces');
  return { fails: `cleanup.${subject}` };
}
