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
    'What is for the lab host itself passes INPUT, what is for others FORWARD: the gateway does not answer a ping, and goes on forwarding all the same.',
};
