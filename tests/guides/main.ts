/**
 * Runs guides as written on a new lab host: `node --run guides -- [ID...] [--driver sandbox|vm]`, all without an ID.
 * Exit 1 if a block ends or prints otherwise than its guide says, or the checker does not agree after a chapter.
 */
import { parseArgs } from 'node:util';
import { type ChapterId, chapterIds, type DriverName } from '@handwired/host';
import { tell } from './report.ts';
import { runGuides } from './run.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { driver: { type: 'string', default: 'sandbox' } },
});
const isChapter = (word: string): word is ChapterId => chapterIds.some((id) => id === word);
const chapters = positionals.length === 0 ? chapterIds : positionals.filter(isChapter);
const isDriver = (word: string): word is DriverName => word === 'sandbox' || word === 'vm';
if (!isDriver(values.driver) || (positionals.length > 0 && chapters.length < positionals.length)) {
  process.stderr.write(`usage: node --run guides -- [${chapterIds.join('|')}]... [--driver sandbox|vm]\n`);
  process.exit(64);
}
const results = await runGuides({
  chapters,
  driver: values.driver,
  name: 'guides',
  onChapter: (result) => void process.stdout.write(`${tell(result)}\n`),
});
process.exitCode = results.some(({ failures }) => failures.length > 0) ? 1 : 0;
