/** Run by driver.test.ts, which kills it: brings a lab up. argv: the spec as JSON. Prints each note of its stages. */
import { LabSpec } from '@handwired/host';
import { vm } from '../../infra/drivers/vm/index.ts';

const spec = LabSpec.parse(JSON.parse(process.argv[2] ?? ''));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
await vm.up(spec, {
  signal: AbortSignal.timeout(300_000),
  progress: {
    note: say,
    stage: async (title, task) => {
      say(`begin ${title}`);
      const result = await task(say);
      say(`end ${title}`);
      return result;
    },
  },
});
