import { createHash } from 'node:crypto';

/**
 * The canonical JSON text of a value, by RFC 8785 (JCS): names sorted by their UTF-16 units, no spaces, ECMAScript's
 * numbers and escapes. Properties that are undefined are left out, as JSON.stringify does. Unlike the RFC it escapes a
 * lone surrogate instead of failing, because Python gives one for each byte of a file's name that is not UTF-8.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((entry) => canonicalJson(entry ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value)
    .filter(([, entry]) => entry !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, entry]) => `${JSON.stringify(name)}:${canonicalJson(entry)}`).join(',')}}`;
}

/** sha256 over a value's canonical JSON, in hexadecimal. */
export const digestOfJson = (value: unknown): string => createHash('sha256').update(canonicalJson(value)).digest('hex');
