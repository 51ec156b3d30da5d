import { readFileSync } from 'node:fs';
import { defaultPlan } from '@handwired/host';
import { z } from 'zod';
import { type Pair, parsePair } from '../compare/side.ts';
import { Evidence } from '../evidence/evidence.ts';
import { parseFacts, Raw } from '../facts/parse.ts';
import type { Case } from '../queries/check.ts';
import { emptyRecord, noteBegun } from '../record.ts';

/** Our own build with a real Docker beside it, recorded by tests/sandbox/record-docker.ts: that of Debian 12, and 13. */
export const dockers = ['20', '26'] as const;
export type Docker = (typeof dockers)[number];

const Recorded = z.object({ raw: Raw, evidence: Evidence });

const read = (version: Docker): z.infer<typeof Recorded> => {
  const file = new URL(`../fixtures/docker-${version}.json`, import.meta.url);
  return Recorded.parse(JSON.parse(readFileSync(file, 'utf8')));
};

/** The snapshot as it came; a fresh copy. */
export const rawWith = (version: Docker): Raw => read(version).raw;

/** What a comparison looks at; a fresh copy. */
export const pairWith = (version: Docker): Pair => parsePair(read(version).raw);

/** The same as checks get it. */
export function dockerCase(version: Docker): Case {
  const { raw, evidence } = read(version);
  const record = emptyRecord();
  noteBegun(record, ['docker']);
  const facts = parseFacts(raw);
  return { facts, evidence, baseline: facts, plan: defaultPlan, record };
}
