import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { quoteAll, run } from '@handwired/host';
import Anser from 'anser';
import { labCommand } from './lab.ts';

/** Makes docs/run.svg, README's picture, from a real run in a terminal: node --import ./cli/loader.mjs tests/picture.ts --driver vm */
const columns = 104;
const lineHeight = 17;
const charWidth = 7.83;

/** A learner's first minutes: a build that is not finished, graded, then finished. */
const scene = (driver: string): string[][] => [
  ['up', '--driver', driver],
  ['exec', '--', 'ip', 'netns', 'add', 'ct1'],
  ['check', '--chapter', 'namespaces'],
  ['build', '--chapter', 'namespaces'],
  ['check'],
  ['destroy'],
];

/** What a terminal shows at the end of a command's run: stdout and stderr in one, as script(1) records them. */
async function typed(words: string[], env: Record<string, string>): Promise<string[]> {
  const command = `stty cols ${columns}; exec ${quoteAll([labCommand, ...words])}`;
  const answer = await run(['script', '-qec', command, '/dev/null'], { env, allowFailure: true });
  const lines = answer.stdout.replaceAll('\r\n', '\n').split('\n').map(lastDrawn);
  while (lines.at(-1)?.trim() === '') lines.pop();
  return [`\u001b[1m$ lab ${quoteAll(words)}\u001b[0m`, ...lines];
}

/** A line that a spinner drew again and again, as it was drawn last; without cursor movements. */
const lastDrawn = (line: string): string =>
  (line.split(/\u001b\[\d*[GJK]|\r/).at(-1) ?? '').replace(/\u001b\[[0-9;?]*[A-Za-ln-z]/g, '');

const escape = (text: string): string => Anser.escapeForHtml(text);

const palette: Record<string, string> = { 'ansi-green': '#3fb950', 'ansi-red': '#f85149', 'ansi-yellow': '#d29922' };

/** One line as SVG text; its parts carry the terminal's colours. */
function svgLine(line: string, row: number): string {
  const parts = Anser.ansiToJson(line, { use_classes: true, remove_empty: true }).map(
    ({ content, fg, decorations }) => {
      const color = palette[fg] ?? (decorations.includes('dim') ? '#8b949e' : '#e6edf3');
      const weight = decorations.includes('bold') ? ' font-weight="bold"' : '';
      return `<tspan fill="${color}"${weight}>${escape(content)}</tspan>`;
    },
  );
  return `<text x="16" y="${28 + row * lineHeight}" xml:space="preserve">${parts.join('')}</text>`;
}

function svg(lines: string[]): string {
  const width = Math.ceil(columns * charWidth) + 32;
  const height = lines.length * lineHeight + 32;
  const text = lines.map(svgLine).join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"
 font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" role="img">
<title>A run of lab up, exec, check, build and destroy</title>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${text}
</svg>
`;
}

const { values } = parseArgs({ options: { driver: { type: 'string', default: 'auto' } } });
const state = await mkdtemp(join(tmpdir(), 'handwired-picture-'));
const env = { XDG_STATE_HOME: state, TERM: 'xterm-256color' };
try {
  const lines: string[] = [];
  for (const words of scene(values.driver)) lines.push(...(await typed(words, env)), '');
  const shown = lines.map((line) => line.replaceAll(state, '~/.local/state'));
  await writeFile(resolve(import.meta.dirname, '../docs/run.svg'), svg(shown.slice(0, -1)));
} finally {
  await run([labCommand, 'destroy', '--all'], { env, allowFailure: true });
  await rm(state, { recursive: true, force: true });
}
