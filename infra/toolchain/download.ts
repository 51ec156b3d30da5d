import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { LabError, messageOf } from '@handwired/host';

/** How long the vendor may take to answer before we build for ourselves. Milliseconds. */
const answerTimeout = 5000;

/**
 * Fetches `url` into `file` and compares its SHA-256 with the pinned one.
 * false: the host can't be reached from here, or does not have the file. Other content than expected is a LabError.
 */
export async function download(
  url: string,
  sha256: string,
  file: string,
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<boolean> {
  const response = await answer(url, signal);
  if (!response?.body) return false;
  const total = Number(response.headers.get('content-length') ?? 0);
  const hash = createHash('sha256');
  const target = await open(file, 'wx');
  let size = 0;
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      hash.update(chunk);
      await target.writeFile(chunk);
      size += chunk.length;
      note(`${megabytes(size)}${total > 0 ? ` of ${megabytes(total)}` : ''} MB`);
    }
  } catch (error) {
    signal.throwIfAborted();
    note(`the download broke off: ${messageOf(error)}`);
    return false;
  } finally {
    await target.close();
  }
  const actual = hash.digest('hex');
  if (actual === sha256) return true;
  throw new LabError({
    what: `the download is not what it should be: sha256 ${actual}, not ${sha256}`,
    where: url,
    next: 'make setup',
  });
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);

async function answer(url: string, signal: AbortSignal): Promise<Response | undefined> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), answerTimeout);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, late.signal]) });
    return response.ok ? response : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
