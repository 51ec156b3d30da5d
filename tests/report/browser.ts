import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';

/** A page in a headless browser of its own, driven over the DevTools protocol on loopback. */
export interface Page {
  open(html: string): Promise<void>;
  /** Opens what is at an address, as a file of this machine is. */
  visit(url: string): Promise<void>;
  /** What the page has complained of since it was last asked: errors on the console, exceptions, what can't be loaded. */
  complaints(): string[];
  /** The value of an expression; promises are awaited. */
  evaluate<T>(expression: string): Promise<T>;
  send<T>(method: string, parameters?: object): Promise<T>;
}

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-address=127.0.0.1',
  '--remote-debugging-port=0',
];

/** Starts the browser with an empty profile, and ends it, whatever happened. */
export async function withBrowser(program: string, use: (page: Page) => Promise<void>): Promise<void> {
  const profile = await mkdtemp(join(tmpdir(), 'handwired-test-'));
  const child = spawn(program, [...flags, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: 'ignore',
    detached: true,
  });
  const ended = once(child, 'exit');
  try {
    const port = await portOf(profile, child);
    const targets = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as {
      type: string;
      webSocketDebuggerUrl: string;
    }[];
    const socket = new WebSocket(targets.find(({ type }) => type === 'page')?.webSocketDebuggerUrl ?? '');
    await once(socket, 'open');
    await use(pageOf(socket));
    socket.close();
  } finally {
    // The program is a shell script: its whole process group ends.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The browser writes the port that it took into its profile. */
async function portOf(profile: string, child: { exitCode: number | null }): Promise<string> {
  for (let tries = 0; tries < 600 && child.exitCode === null; tries += 1) {
    const text = await readFile(join(profile, 'DevToolsActivePort'), 'utf8').catch(() => '');
    const port = /^(\d+)\n/.exec(text)?.[1];
    if (port !== undefined) return port;
    await after(50);
  }
  throw new Error('the browser did not start');
}

function pageOf(socket: WebSocket): Page {
  let last = 0;
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const loaded: (() => void)[] = [];
  const complained: string[] = [];
  socket.addEventListener('message', ({ data }) => {
    const { id, method, params, result, error } = JSON.parse(String(data)) as {
      id?: number;
      method?: string;
      params?: unknown;
      result?: unknown;
      error?: { message: string };
    };
    if (method === 'Page.loadEventFired') for (const done of loaded.splice(0)) done();
    if (isComplaint(method, params)) complained.push(JSON.stringify(params).slice(0, 500));
    if (id === undefined) return;
    if (error) waiting.get(id)?.reject(new Error(error.message));
    else waiting.get(id)?.resolve(result);
  });
  const send = <T>(method: string, parameters: object = {}): Promise<T> => {
    const answer = Promise.withResolvers<unknown>();
    waiting.set((last += 1), answer);
    socket.send(JSON.stringify({ id: last, method, params: parameters }));
    const late = setTimeout(() => answer.reject(new Error(`the browser did not answer ${method}`)), 20_000);
    void answer.promise.catch(() => undefined).finally(() => clearTimeout(late));
    return answer.promise as Promise<T>;
  };
  const visit = async (url: string): Promise<void> => {
    for (const domain of ['Page', 'Runtime', 'Log']) await send(`${domain}.enable`);
    const done = new Promise<void>((resolve) => loaded.push(resolve));
    await send('Page.navigate', { url });
    await done;
  };
  return {
    send,
    complaints: () => complained.splice(0),
    open: (html) => visit(`data:text/html;base64,${Buffer.from(html).toString('base64')}`),
    visit,
    async evaluate<T>(expression: string) {
      const { result, exceptionDetails } = await send<{ result: { value: T }; exceptionDetails?: { text: string } }>(
        'Runtime.evaluate',
        { expression, awaitPromise: true, returnByValue: true },
      );
      if (exceptionDetails) throw new Error(exceptionDetails.text);
      return result.value;
    },
  };
}

/** Events of the DevTools protocol that a page without a fault does not cause. */
function isComplaint(method: string | undefined, params: unknown): boolean {
  const { type, entry } = (params ?? {}) as { type?: string; entry?: { level: string } };
  if (method === 'Runtime.consoleAPICalled') return type === 'error' || type === 'warning' || type === 'assert';
  return method === 'Runtime.exceptionThrown' || (method === 'Log.entryAdded' && entry?.level !== 'verbose');
}
