/** Numbers from a seed, so that a failing input comes back: mulberry32. */
export function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
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

const pick = <T>(next: (below: number) => number, list: readonly T[]): T => list[next(list.length)] as T;

/** Damaged copies of a text: cut, doubled, with pieces replaced. */
export function* damaged(text: string, count = 300): Generator<string> {
  const next = random(text.length);
  for (let n = 0; n < count; n += 1) yield damagedOnce(text, next);
}

export function damagedOnce(text: string, next: (below: number) => number): string {
  let copy = text;
  for (let edits = next(4) + 1; edits > 0; edits -= 1) {
    const [from, length] = [next(copy.length + 1), next(40)];
    const piece = next(4) === 0 ? text.slice(from, from + length) : pick(next, scraps);
    copy = copy.slice(0, from) + piece + copy.slice(from + length);
  }
  return next(5) === 0 ? copy.slice(0, next(copy.length + 1)) : copy;
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
export function altered(value: unknown, next: (below: number) => number): unknown {
  const copy = structuredClone(value);
  for (let edits = next(3) + 1; edits > 0; edits -= 1) alter(copy, next);
  return copy;
}

function alter(value: unknown, next: (below: number) => number): void {
  let at = value;
  for (let depth = next(9); typeof at === 'object' && at !== null; depth -= 1) {
    const place = at as Record<string, unknown>;
    const keys = Object.keys(place);
    const key = keys.length > 0 ? pick(next, keys) : 'x';
    const child = place[key];
    if (depth > 0 && typeof child === 'object' && child !== null && Object.keys(child).length > 0) {
      at = child;
      continue;
    }
    alterAt(place, key, next);
    return;
  }
}

function alterAt(place: Record<string, unknown>, key: string, next: (below: number) => number): void {
  const child = place[key];
  const ways = [
    () => (place[key] = pick(next, strange)),
    () => Reflect.deleteProperty(place, key),
    () => (place[key] = place[pick(next, Object.keys(place))]),
    () => (place[key] = typeof child === 'string' ? damagedOnce(child, next) : pick(next, strange)),
    () => (place[key] = typeof child === 'number' ? child + next(3) - 1 : structuredClone(child)),
    () => Array.isArray(place) && place.push(structuredClone(child)),
    () => (place[pick(next, ['constructor', '__proto__', 'toString', 'br0', ''])] = pick(next, strange)),
  ];
  pick(next, ways)();
}
