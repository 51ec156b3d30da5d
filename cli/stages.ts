import { AsyncLocalStorage } from 'node:async_hooks';
import type { Progress } from '@handwired/host';
import type { Ora } from 'ora';
import { createPaint, type Output, toPrintable, wantsColor } from './text.ts';

/** A stage that runs. `parent` is the stage in which it was started. */
interface Stage {
  title: string;
  parent: Stage | undefined;
  depth: number;
  startedAt: number;
  latest: string;
}

/** Shows stages: as a spinner on a terminal, as plain lines elsewhere. */
interface Display {
  begin(stage: Stage): void;
  note(stage: Stage): void;
  end(stage: Stage, failed: boolean): void;
  line(text: string): void;
}

/** Progress that is printed on a stream (stderr): each stage with its latest note and its time; nested ones are indented. */
export function createProgress(stream: Output): Progress {
  const display = stream.isTTY && process.env.TERM !== 'dumb' ? createSpinner(stream) : createLines(stream);
  const current = new AsyncLocalStorage<Stage>();
  return {
    note: (text) => display.line(toOneLine(text)),
    async stage(title, work) {
      const parent = current.getStore();
      const depth = parent === undefined ? 0 : parent.depth + 1;
      const stage: Stage = { title: toOneLine(title), parent, depth, startedAt: performance.now(), latest: '' };
      display.begin(stage);
      let failed = true;
      try {
        const note = (text: string): void => {
          stage.latest = toOneLine(text);
          display.note(stage);
        };
        const result = await current.run(stage, () => work(note));
        failed = false;
        return result;
      } finally {
        display.end(stage, failed);
      }
    },
  };
}

/** Seconds since a stage began, as printed: `0.4 s`, `75 s`. */
function formatElapsed(startedAt: number): string {
  const seconds = (performance.now() - startedAt) / 1000;
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
}

/** Without a spinner, a stage that runs longer than this gets a line, and another one after each pause. */
const FIRST_LINE_MS = 2_000;
const NEXT_LINE_MS = 30_000;

function createLines(stream: Output): Display {
  const timers = new Map<Stage, NodeJS.Timeout>();
  const write = (text: string): void => void stream.write(`${text}\n`);
  const showRunning = (stage: Stage): void => {
    write(
      `${renderIndent(stage)}... ${stage.title} (${formatElapsed(stage.startedAt)})${stage.latest && `: ${stage.latest}`}`,
    );
    timers.set(stage, setTimeout(() => showRunning(stage), NEXT_LINE_MS).unref());
  };
  return {
    begin: (stage) => void timers.set(stage, setTimeout(() => showRunning(stage), FIRST_LINE_MS).unref()),
    note: () => undefined,
    end(stage, failed) {
      clearTimeout(timers.get(stage));
      timers.delete(stage);
      write(`${renderIndent(stage)}${failed ? 'failed: ' : ''}${stage.title}  ${formatElapsed(stage.startedAt)}`);
    },
    line: write,
  };
}

function createSpinner(stream: Output): Display {
  const paint = createPaint(wantsColor(stream, process.env));
  const active: Stage[] = [];
  let ora: Ora | undefined;
  const load = import('ora');
  const findShown = (): Stage | undefined => active.at(-1);
  const refresh = (): void => {
    const stage = findShown();
    if (!stage) return void ora?.stop();
    const beside = active.filter((other) => other.depth === stage.depth).length - 1;
    const more = beside > 0 ? ` (and ${beside} more)` : '';
    const text = `${stage.title}${more}${stage.latest && `: ${stage.latest}`}`;
    if (ora) ora.text = cutToWidth(text, (stream.columns || 80) - 16);
  };
  const start = async (): Promise<void> => {
    const { default: create } = await load;
    if (!findShown()) return;
    ora ??= create({ stream, discardStdin: false, suffixText: () => paint('dim', renderAge(findShown())) });
    refresh();
    if (!ora.isSpinning) ora.start();
  };
  const printLine = (text: string): void => {
    const was = ora?.isSpinning === true;
    if (was) ora?.stop();
    stream.write(`${text}\n`);
    if (was && findShown()) ora?.start();
  };
  return {
    begin(stage) {
      active.push(stage);
      void start();
    },
    note: refresh,
    end(stage, failed) {
      active.splice(active.indexOf(stage), 1);
      const mark = failed ? paint('red', '✖') : paint('green', '✔');
      printLine(`${renderIndent(stage)}${mark} ${stage.title}  ${paint('dim', formatElapsed(stage.startedAt))}`);
      refresh();
    },
    line: printLine,
  };
}

const renderAge = (stage: Stage | undefined): string => (stage ? formatElapsed(stage.startedAt) : '');
const renderIndent = (stage: Stage): string => '  '.repeat(stage.depth);
const cutToWidth = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text;

const toOneLine = (text: string): string => toPrintable(text).trim().slice(0, 500);
