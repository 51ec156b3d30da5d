/**
 * Runs guides as written on a new lab host: `node --run guides -- [ID...] [--driver sandbox|vm] [--student NAME] [--show]`,
 * all that there are without an ID. `--student`: with the plan of that student of a fleet. `--show`: with what each block
 * printed. Exit 1 if a block ends or prints otherwise than its guide says, or the checker does not agree after a chapter.
 */
import { parseArgs } from 'node:util';
import { type ChapterId, chapterIds, type DriverName } from '@handwired/host';
import { tell, tellBlock } from './report.ts';
import { runGuides, written } from './run.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    driver: { type: 'string', default: 'sandbox' },
    student: { type: 'string' },
    show: { type: 'boolean', default: false },
  },
});
const isChapter = (word: string): word is ChapterId => chapterIds.some((id) => id === word);
const isDriver = (word: string): word is DriverName => word === 'sandbox' || word === 'vm';
if (!isDriver(values.driver) || !positionals.every(isChapter)) {
  process.stderr.write(
    `usage: node --run guides -- [${chapterIds.join('|')}]... [--driver sandbox|vm] [--student NAME] [--show]\n`,
  );
  process.exit(64);
}
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const controller = new AbortController();
process.once('SIGINT', () => controller.abort());
const results = await runGuides({
  chapters: positionals.length > 0 ? positionals.filter(isChapter) : await written(),
  driver: values.driver,
  student: values.student,
  onChapter: (result) => print(tell(result)),
  ...(values.show ? { onBlock: (...block) => print(tellBlock(...block)) } : {}),
  signal: controller.signal,
});
process.exitCode = results.some(({ failures }) => failures.length > 0) ? 1 : 0;
