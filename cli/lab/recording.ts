import { createReadStream } from 'node:fs';
import { mostBytes, readRecording, type Recording } from '@handwired/checker';
import { EXIT, LabError, messageOf } from '@handwired/host';

/**
 * Reads what `lab facts -o json` printed from a file, or with `-` from stdin; never more than a recording can have.
 * Throws LabError: no such file (78), no recording (3).
 */
export async function loadRecording(file: string): Promise<Recording> {
  const where = file === '-' ? 'stdin' : file;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > mostBytes) break;
    }
  } catch (error) {
    const what = `cannot read the recording: ${messageOf(error)}`;
    throw new LabError({ what, where, next: 'lab facts -o json > FILE', exit: EXIT.config });
  }
  return readRecording(Buffer.concat(chunks).toString('utf8'), where);
}
