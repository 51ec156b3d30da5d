import { type Plan, recordOf, type Session } from '@handwired/host';
import { guarded } from '../../guarded.ts';
import type { Command } from '../../script.ts';
import type { Fault } from '../fault.ts';

/** What a fault's commands need of a lab host. */
export interface FaultSource {
  session: Session;
  plan: Plan;
  signal?: AbortSignal | undefined;
}

/** The commands of some faults: as they are injected, or as they are mended, the last first. */
export function commandsOf(way: 'inject' | 'repair', some: readonly Fault[], plan: Plan): Command[] {
  const { $ } = recordOf();
  const scene = { $: $({ halt: true }), plan };
  return (way === 'inject' ? some : some.toReversed()).flatMap((fault) => fault[way](scene));
}

/** Those of some faults that have something to take hold of on the lab host as it is now. One round trip. */
export async function fitting(source: FaultSource, some: readonly Fault[]): Promise<Fault[]> {
  const script = some.map((fault, i) => {
    const tests = commandsOf('inject', [fault], source.plan).map(({ done }) => `{ ${done?.cmd ?? 'false'}; }`);
    return `if { ${tests.join(' && ')}; } > /dev/null 2>&1; then :; else echo fits ${i}; fi`;
  });
  const { stdout } = await exec(source, script.join('\n'));
  const fits = new Set(stdout.split('\n'));
  return some.filter((_fault, i) => fits.has(`fits ${i}`));
}

/**
 * Puts faults in, or takes them out, in one round trip; what is so already stays. The script comes by stdin, so that no
 * list of processes shows it, by a shell that keeps no history. False: the lab host is of another shape, and a command
 * failed or had no effect. Throws LabError when it can't be reached; rethrows the abort reason.
 */
export async function carryOut(
  source: FaultSource,
  way: 'inject' | 'repair',
  some: readonly Fault[],
): Promise<boolean> {
  const { code } = await exec(source, guarded(commandsOf(way, some, source.plan)));
  return code === 0;
}

const exec = ({ session, signal }: FaultSource, script: string) =>
  session.exec(['/bin/sh'], { input: `${script}\n`, maxBytes: 256 * 1024, ...(signal ? { signal } : {}) });
