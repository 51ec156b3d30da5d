import { chapterIds, EXIT, LabError, quoteAll } from '@handwired/host';
import { Argument, type Command, Option } from 'commander';
import type { GuideOptions, GuideTopic } from '../commands/guide.ts';
import type { Context } from '../context.ts';
import { labName, oneOf } from '../options.ts';
import { command, type Act } from './parts.ts';

const topics: readonly GuideTopic[] = [...chapterIds, 'summary'];

/** `lab guide`: what a learner reads. */
export function addGuide(program: Command, context: Context, act: Act): void {
  command(
    program,
    'guide',
    'read a chapter; without one: which there are',
    'lab guide tour\n  lab guide summary --plain\n  lab guide --html handwired-guide',
  )
    .addArgument(new Argument('[chapter]', `${topics.join(', ')}, or its number`).argParser(parseTopic))
    .addOption(new Option('--lab <name>', "with this lab's values (default: $LAB_NAME, else lab)").argParser(labName))
    .option('--plain', 'for a screen reader: nothing drawn, no colour, no pager')
    .addOption(
      new Option('--html <folder>', 'the whole course as a site that a browser opens, in this folder').conflicts(
        'plain',
      ),
    )
    .action((topic: GuideTopic | undefined, options: GuideOptions) => {
      const { html, lab } = options;
      if (html === undefined) {
        return act('guide', async () => (await import('../commands/guide.ts')).runGuide(context, topic, options), true);
      }
      if (topic !== undefined) throw noTopic(topic, html);
      return act('guide', async () => (await import('../commands/site.ts')).runSite(context, html, lab));
    });
}

const noTopic = (topic: string, folder: string): LabError =>
  new LabError({
    what: `--html writes all chapters, not ${topic} alone`,
    next: `lab guide --html ${quoteAll([folder])}`,
    exit: EXIT.usage,
  });

/** A topic by its name, or a chapter by its number: `06`, `6`. */
function parseTopic(word: string): GuideTopic {
  const byNumber = /^\d{1,2}$/.test(word) ? chapterIds[Number(word)] : undefined;
  return byNumber ?? oneOf('chapter', topics, 'lab guide')(word);
}
