import { fault as bridgeDown } from './bridge-down.ts';
import type { Fault } from './fault.ts';
import { fault as forwardingOff } from './forwarding-off.ts';
import { fault as masqueradeWrongUplink } from './masquerade-wrong-uplink.ts';
import { fault as resolverUnreachable } from './resolver-unreachable.ts';
import { fault as vethUnplugged } from './veth-unplugged.ts';

/** Every fault. A file that is not listed here fails a test. */
export const faults: readonly Fault[] = [
  bridgeDown,
  forwardingOff,
  masqueradeWrongUplink,
  resolverUnreachable,
  vethUnplugged,
];
