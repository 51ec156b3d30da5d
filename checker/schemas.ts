import { z } from 'zod';
import { Facts } from './facts/facts.ts';
import { Recording } from './grading/recording.ts';
import { ObservedPacket } from './packets/render.ts';
import { Trace } from './packets/trace-data.ts';
import { Report } from './report/report.ts';

const published = {
  report: [Report, 'One grading of one lab: what `lab check -o json` prints.'],
  facts: [
    Facts,
    "One snapshot of a lab host's kernel state, with nothing judged: `facts` and `baseline` of a recording.",
  ],
  trace: [Trace, "One packet's whole way: what `lab trace -o json` prints."],
  packet: [ObservedPacket, 'One packet at several places: a line of what `lab observe -o json` prints.'],
  recording: [Recording, 'All that it takes to grade a lab again: what `lab facts -o json` prints.'],
} as const;

/** The JSON Schemas (2020-12) that are published as docs/schema/NAME.json, by name. */
export const schemas = (): Record<keyof typeof published, object> => {
  const made = Object.entries(published).map(([name, [shape, description]]) => {
    const { $schema, ...rest } = z.toJSONSchema(shape, { target: 'draft-2020-12', io: 'output', reused: 'ref' });
    const version = shape.shape.schemaVersion.value;
    return [name, { $schema, $id: `urn:handwired:schema:${name}:${version}`, title: name, description, ...rest }];
  });
  return Object.fromEntries(made) as Record<keyof typeof published, object>;
};
