import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Plan } from '@handwired/host';
import { chapters } from '../chapters.ts';
import { guideOf } from '../guide/load.ts';
import { summaryOf } from '../guide/summary.ts';
import { framed, type Site } from './frame.ts';
import { cardPage, guidePage, indexPage, summaryPage } from './pages.ts';
import { searchScript } from './search.ts';

export interface SiteOptions {
  plan: Plan;
  /** The lab's name, as commands are typed. */
  lab: string;
  /** Whose values these are, in a sentence. */
  subtitle: string;
}

/** Every file of the course's site, by its name in the one folder. */
export async function siteOf({ plan, lab, subtitle }: SiteOptions): Promise<Map<string, string>> {
  const guides = await Promise.all(chapters.map(({ id }) => guideOf(id, { plan, lab })));
  const site: Site = { chapters, subtitle };
  const summary = await summaryOf(plan);
  const pages = guides.map((guide) => ({ guide, page: guidePage(guide, plan, site) }));
  const frames = [
    indexPage(guides, plan, site),
    ...pages.map(({ page }) => page),
    summaryPage(summary, plan, site),
    cardPage(summary, plan),
  ];
  return new Map([
    ...frames.map((frame): [string, string] => [frame.file, framed(site, frame)]),
    ['search-index.js', searchScript(pages.map(({ guide, page: { parts } }) => ({ guide, parts })))],
    ['minisearch.js', await library()],
    ...(await Promise.all(['style.css', 'site.js'].map(asset))),
  ]);
}

const asset = async (name: string): Promise<[string, string]> => [
  name,
  await readFile(new URL(`assets/${name}`, import.meta.url), 'utf8'),
];

/** MiniSearch as its makers publish it for browsers, under its licence. */
async function library(): Promise<string> {
  const root = new URL('../../', `file://${createRequire(import.meta.url).resolve('minisearch')}`);
  const read = (path: string): Promise<string> => readFile(new URL(path, root), 'utf8');
  const [code, licence] = await Promise.all([read('dist/umd/index.js'), read('LICENSE.txt')]);
  return `/*! MiniSearch\n${licence.replaceAll('*/', '* /')}*/\n${code.replace(/^\/\/# sourceMappingURL=.*$/m, '')}`;
}
