import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import ssh2, { Client, type ClientChannel, type ConnectConfig, type PublicKeyAuthMethod } from 'ssh2';
import { LabError, parseScriptError, readMessage } from './errors.ts';
import type { SshTarget } from './lab.ts';
import { openPiped, type PipedProcess } from './process.ts';
import { type Connection, type ConnectOptions, LabSession, type Pty, type Session } from './session.ts';

const READY_MS = 10_000;
/** A lab host is lost when it answers nothing for half a minute. A slow one (TCG under load) answers in that time. */
const KEEPALIVE = { keepaliveInterval: 5000, keepaliveCountMax: 6 };

/** See `connect` in connect.ts. Only this file knows ssh2. */
export async function connectOverSsh(target: SshTarget, options: ConnectOptions = {}): Promise<Session> {
  options.signal?.throwIfAborted();
  const client = new Client();
  const checked = { hostKeyFits: true };
  let pipe: PipedProcess | undefined;
  try {
    const config = await makeConfig(target, checked);
    options.signal?.throwIfAborted();
    if ('command' in target.dial) pipe = openPiped(target.dial.command);
    await waitUntilReady(client, pipe ? { ...config, sock: pipe.stream } : config, options);
  } catch (error) {
    client.destroy();
    pipe?.stream.destroy();
    options.signal?.throwIfAborted();
    if (error instanceof LabError) throw error;
    throw explainRefusal(target, error, checked.hostKeyFits, (await pipe?.lastWords()) ?? '');
  }
  return new LabSession(wrapClient(client, pipe?.stream), target.lab);
}

async function readKey({ lab, privateKeyFile }: SshTarget): Promise<Buffer> {
  const trouble = { where: privateKeyFile, next: `lab reset ${lab}` };
  const key = await readFile(privateKeyFile).catch((cause: unknown) => {
    throw new LabError({ ...trouble, what: `cannot read the lab's key: ${readMessage(cause)}`, cause });
  });
  const parsed = ssh2.utils.parseKey(key);
  if (parsed instanceof Error) throw new LabError({ ...trouble, what: `the lab's key is damaged: ${parsed.message}` });
  return key;
}

async function makeConfig(target: SshTarget, checked: { hostKeyFits: boolean }): Promise<ConnectConfig> {
  const { dial, user } = target;
  const key = await readKey(target);
  const ours: PublicKeyAuthMethod = { type: 'publickey', username: user, key };
  const pinned = Buffer.from(target.hostKey.trim().split(/\s+/)[1] ?? '', 'base64');
  return {
    ...('address' in dial ? { host: dial.address, port: dial.port } : {}),
    username: user,
    privateKey: key,
    authHandler: [ours],
    algorithms: { serverHostKey: ['ssh-ed25519'] },
    hostVerifier: (shown: Buffer) => (checked.hostKeyFits = shown.equals(pinned)),
    // Our own timer covers everything up to here as well.
    readyTimeout: 0,
    ...KEEPALIVE,
  };
}

function waitUntilReady(client: Client, config: ConnectConfig, options: ConnectOptions): Promise<undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const ms = options.timeoutMs ?? READY_MS;
  const timer = setTimeout(() => reject(new Error(`no answer in ${ms / 1000} s`)), ms);
  const abort = (): void => reject(new Error('aborted'));
  options.signal?.addEventListener('abort', abort, { once: true });
  client.once('ready', () => resolve(undefined));
  // The first error gives the reason. Later errors need a listener too, or they would end our process.
  client.on('error', reject);
  client.once('close', () => reject(new Error('the connection was closed')));
  client.connect(config);
  return promise.finally(() => {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', abort);
  });
}

function explainRefusal(target: SshTarget, error: unknown, hostKeyFits: boolean, lastWords: string): LabError {
  const { lab, dial } = target;
  const where = 'command' in dial ? dial.command.join(' ').slice(0, 300) : `${dial.address}:${dial.port}`;
  const level = (error as { level?: string }).level;
  const trouble = { where, cause: error };
  if (!hostKeyFits) {
    const what = `the lab host of ${lab} shows another ssh host key than the one it was made with, so it was refused`;
    return new LabError({ ...trouble, what, next: `lab reset ${lab}`, code: 'broken' });
  }
  if (level === 'client-authentication') {
    const what = `the lab host of ${lab} refused the lab's key: its sshd settings or authorized_keys were changed`;
    return new LabError({ ...trouble, what, next: `lab reset ${lab}`, code: 'broken' });
  }
  const said = parseScriptError(lastWords);
  const why = said.what === '' ? readMessage(error) : `${readMessage(error)} (${said.what})`;
  const what = `the lab host of ${lab} does not answer over ssh: ${why}`;
  // The script that starts a sandbox's sshd says it when the sandbox or its sshd is gone.
  const command = said.next ?? 'lab status';
  const code = command === 'lab reset' ? 'broken' : 'unreachable';
  return new LabError({ ...trouble, what, next: `${command} ${lab}`, code });
}

function wrapClient(client: Client, pipe: Duplex | undefined): Connection {
  let why = 'it was closed at the other end';
  client.removeAllListeners('error').removeAllListeners('close');
  client.on('error', (error) => (why = readMessage(error)));
  return {
    open: (line, pty, use) => openChannel(client, line, pty, use),
    roundTrip: () =>
      new Promise((resolve, reject) => {
        // sshd can only refuse this request, which changes nothing. Only the fact that it answers matters.
        client.unforwardIn('', 0, (error) => {
          // ssh2 tells a refusal from a lost connection only by this text (client.js, `unforwardIn` and 'close').
          if (error?.message === 'No response from server') reject(error);
          else resolve();
        });
      }),
    onLost: (listener) => void client.once('close', () => listener(why)),
    close: () => {
      client.end();
      pipe?.end();
    },
  };
}

function openChannel<T>(
  client: Client,
  line: string | undefined,
  pty: Pty | undefined,
  use: (channel: ClientChannel) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const opened = (error: Error | undefined, channel: ClientChannel): void => {
      if (error) reject(error);
      else resolve(use(channel));
    };
    const terminal = pty && { rows: pty.rows, cols: pty.columns, term: pty.term, width: 0, height: 0 };
    if (line === undefined) client.shell(terminal ?? false, opened);
    else client.exec(line, terminal ? { pty: terminal } : {}, opened);
  });
}
