/** Input that no lab host sends, made of what one did send, for property tests. */
import fc from 'fast-check';

/** Gives a whole number from 0 to below `below`. fast-check draws it, and makes it smaller when a property fails. */
export type Draw = (below: number) => number;

const seed = process.env['HANDWIRED_FUZZ_SEED'];

/**
 * Throws unless a property holds for `runs` inputs, which it makes of the numbers that it draws. They are others in each
 * run. The error has the smallest numbers that fail, and the seed: HANDWIRED_FUZZ_SEED=SEED draws the same inputs again.
 */
export function assertHolds(runs: number, property: (draw: Draw) => void): void {
  const drawing = fc.property(fc.gen(), (value) =>
    property((below) => (below > 0 ? value(fc.nat, { max: below - 1 }) : 0)),
  );
  fc.assert(drawing, { numRuns: runs, plugins: [fc.unbiased()], ...(seed !== undefined && { seed: Number(seed) }) });
}

const scraps = [
  '',
  '\0',
  '\n',
  '"',
  '[',
  '}',
  '-A ',
  ':',
  '*',
  '\u202e',
  '99999999999999999999',
  'null',
  '\\',
  ' '.repeat(300),
];

const pick = <T>(draw: Draw, list: readonly T[]): T => list[draw(list.length)] as T;

/** A damaged copy of a text: cut, doubled, with pieces replaced. */
export function damageText(text: string, draw: Draw): string {
  let copy = text;
  for (let edits = draw(4) + 1; edits > 0; edits -= 1) {
    const [from, length] = [draw(copy.length + 1), draw(40)];
    const piece = draw(4) === 0 ? text.slice(from, from + length) : pick(draw, scraps);
    copy = copy.slice(0, from) + piece + copy.slice(from + length);
  }
  return draw(5) === 0 ? copy.slice(0, draw(copy.length + 1)) : copy;
}

/** Values that a place may hold and that no lab host sends. */
const strange: readonly unknown[] = [
  null,
  undefined,
  true,
  -1,
  0.5,
  1e300,
  Number.MAX_SAFE_INTEGER,
  '',
  '\u001b[2J\u202e',
  'x'.repeat(5000),
  [],
  {},
  [[[]]],
  '172.18.0.11',
  'br0',
  '../../etc',
  '__proto__',
  '=1+1',
  '</script>',
  ']]>',
  '0',
];

/** A copy of a JSON value with a few places altered: another value, one more, one less, a neighbour's. */
export function alterValue(value: unknown, draw: Draw): unknown {
  const copy = structuredClone(value);
  for (let edits = draw(3) + 1; edits > 0; edits -= 1) alter(copy, draw);
  return copy;
}

function alter(value: unknown, draw: Draw): void {
  let at = value;
  for (let depth = draw(9); typeof at === 'object' && at !== null; depth -= 1) {
    const place = at as Record<string, unknown>;
    const keys = Object.keys(place);
    const key = keys.length > 0 ? pick(draw, keys) : 'x';
    const child = place[key];
    if (depth > 0 && typeof child === 'object' && child !== null && Object.keys(child).length > 0) {
      at = child;
      continue;
    }
    alterAt(place, key, draw);
    return;
  }
}

function alterAt(place: Record<string, unknown>, key: string, draw: Draw): void {
  const child = place[key];
  const ways = [
    () => (place[key] = pick(draw, strange)),
    () => Reflect.deleteProperty(place, key),
    () => (place[key] = place[pick(draw, Object.keys(place))]),
    () => (place[key] = typeof child === 'string' ? damageText(child, draw) : pick(draw, strange)),
    () => (place[key] = typeof child === 'number' ? child + draw(3) - 1 : structuredClone(child)),
    () => Array.isArray(place) && place.push(structuredClone(child)),
    () => (place[pick(draw, ['constructor', '__proto__', 'toString', 'br0', ''])] = pick(draw, strange)),
  ];
  pick(draw, ways)();
}
