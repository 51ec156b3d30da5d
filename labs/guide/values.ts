import { dockerHost, type Plan, world } from '@handwired/host';

/** What `{{...}}` in a guide may name: `plan.bridge`, `plan.ct1.address`, `world.uplink.name`, `docker.netns`, `lab`. */
export interface Values {
  plan: Plan;
  /** The lab's name, as it is typed. */
  lab: string;
}

/**
 * Puts values in the place of `{{dotted.path}}`. `onUnknown` is told each path that leads to no value, with its line.
 * `{{.State.Pid}}` is a template of Docker's own, and stays.
 */
export function fillIn(text: string, values: Values, onUnknown: (path: string, line: number) => void): string {
  const root = { ...values, world, docker: dockerHost };
  return text.replaceAll(/\{\{([^{}\n]*)\}\}/g, (whole, inside: string, at: number) => {
    if (/(^|\s)\./.test(inside)) return whole;
    const path = inside.trim();
    const value = path.split('.').reduce<unknown>(memberOf, root);
    if (typeof value === 'string' || typeof value === 'number') return String(value);
    onUnknown(path, text.slice(0, at).split('\n').length);
    return whole;
  });
}

const memberOf = (from: unknown, key: string): unknown =>
  typeof from === 'object' && from !== null && Object.hasOwn(from, key)
    ? (from as Record<string, unknown>)[key]
    : undefined;
