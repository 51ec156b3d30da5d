import type { Case } from '../../checks/check.ts';
import { sightsOf } from '../../checks/trace.ts';
import type { NftTable } from '../../facts/firewall.ts';
import type { Cause } from '../cause.ts';
import { command } from '../commands.ts';
import { target } from '../dnat.ts';
import { nativeTables } from '../native.ts';

type NftObject = NftTable['objects'][number];

/** A rule of a native nat chain that translates destinations to an address. */
function nativeDnat({ facts }: Case, address: string): { table: NftTable; rule: NftObject } | undefined {
  for (const table of nativeTables(facts.here)) {
    const rule = table.objects.find(
      ({ type, text }) => type === 'rule' && text.includes('"dnat"') && text.includes(`"${address}"`),
    );
    if (rule) return { table, rule };
  }
  return undefined;
}

/** Of two chains of nat on one hook the one with the lower priority is asked first, and its translation holds. */
export const shadow: Cause[] = [
  {
    id: 'nft-dnat-first',
    hop: 'PREROUTING',
    explains: ['publish.outside', 'publish.host-address', 'publish.loopback'],
    structural: true,
    detect: (the, walk) => {
      if (walk.probe === undefined) return undefined;
      const sent = sightsOf(the.evidence, walk.probe, { in: 'root', what: 'syn', way: 'out' }).find(
        ({ target: to, targetPort }) => `${to}:${targetPort}` !== target(the) && targetPort !== the.plan.hostPort,
      );
      const found = sent && nativeDnat(the, sent.target);
      if (!sent || !found) return undefined;
      const { table, rule } = found;
      const name = `nft ${table.family} ${table.name} ${rule.chain ?? ''}`;
      return {
        seen: [`${sent.device} puts out the request to ${sent.target}:${sent.targetPort}`, `${name} has ${rule.shown}`],
        wrong: `A native chain translates port ${the.plan.hostPort} to ${sent.target}:${sent.targetPort} before the nat table of iptables is asked: ${name}, ${rule.shown}. The first translation of a connection holds.`,
        mend:
          rule.chain === null || rule.handle === null
            ? undefined
            : [command('nft', 'delete', 'rule', table.family, table.name, rule.chain, 'handle', rule.handle)],
      };
    },
    look: () => 'in which order chains of one hook are asked (priority), and which of them translate: nft list ruleset',
  },
];
