import type { Fault } from '@handwired/course';
import { deleteRule, insertRule } from './parts.ts';

const createRule = (bridge: string): string[] => ['-i', bridge, '-p', 'icmp', '-j', 'DROP'];

export const fault: Fault = {
  id: 'gateway-drops-ping',
  title: 'The lab host drops pings from the containers in INPUT.',
  level: 2,
  needs: 'connectivity',
  excludes: [],
  cause: 'input-drop',
  symptoms: ['connectivity.ct1-gateway', 'connectivity.ct2-gateway'],
  inject: ({ bridge }) => [insertRule('filter', 'INPUT', createRule(bridge))],
  repair: ({ bridge }) => [deleteRule('filter', 'INPUT', createRule(bridge))],
  explanation:
    'Packets for the lab host itself pass INPUT, and packets for others pass FORWARD. So the gateway does not answer a ping, but still forwards.',
};
