import { world } from '@handwired/host';
import type { Cause } from '../cause.ts';
import { command } from '../commands.ts';
import { nativeDrop } from '../native.ts';
import { dropped, shownOf } from './firewall.ts';
import { forwarded } from './forward.ts';

const common = { hop: 'FORWARD', explains: ['connectivity.', 'egress.', 'dns.', 'publish.'] } as const;

/** Firewalls with rules of their own making, which know nothing of the containers. */
export const frontends: Cause[] = [
  {
    ...common,
    id: 'ufw-refuses',
    detect: (the, walk) => {
      const at = forwarded(the, walk);
      const fate = at && dropped(the.facts.here, ['filter'], 'FORWARD', at.packet);
      if (!at || !fate?.rule?.chain.startsWith('ufw')) return undefined;
      const { bridge } = the.plan;
      const accept = (...words: string[]): string => command(fate.tool, '-I', 'FORWARD', 1, ...words, '-j', 'ACCEPT');
      return {
        back: at.back,
        seen: [`${shownOf(fate)} of ${fate.chain} takes ${at.packet.in ?? ''} to ${at.packet.out ?? ''}`],
        wrong: `The chains of ufw come first in FORWARD, and refuse what is routed: ${shownOf(fate)}. It must be let through before them, or in them (ufw route allow).`,
        mend: [accept('-i', bridge), accept('-o', bridge)],
      };
    },
  },
  {
    ...common,
    id: 'firewalld-refuses',
    detect: (the, walk) => {
      const at = forwarded(the, walk);
      const drop = at && nativeDrop(the.facts.here, 'forward', at.packet);
      if (!at || drop?.table.name !== 'firewalld') return undefined;
      const { bridge } = the.plan;
      const accept = (key: string): string =>
        command('nft', 'insert', 'rule', drop.table.family, drop.table.name, drop.name, key, bridge, 'accept');
      return {
        back: at.back,
        seen: [
          `${drop.rule?.shown ?? 'the policy'} of ${drop.chain} takes ${at.packet.in ?? ''} to ${at.packet.out ?? ''}`,
        ],
        wrong: `firewalld's own table refuses what goes between ${bridge} and ${world.uplink.name}, and an accept in iptables does not change that: ${bridge} is in no zone that may forward (firewall-cmd --zone=trusted --add-interface=${bridge}).`,
        mend: [accept('iifname'), accept('oifname')],
      };
    },
  },
];
