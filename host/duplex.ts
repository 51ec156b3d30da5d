import { Duplex, type Readable, type Writable } from 'node:stream';

/** One stream from two: what is written goes `to`, what is read comes `from`. It ends with either of them. */
export function duplexOf(to: Writable, from: Readable): Duplex {
  const stream = new Duplex({
    allowHalfOpen: false,
    read: () => void from.resume(),
    write: (chunk: Buffer, _encoding, done) => void to.write(chunk, done),
    final: (done) => void to.end(done),
    destroy: (error, done) => {
      to.destroy();
      from.destroy();
      done(error);
    },
  });
  from.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) from.pause();
  });
  from.on('end', () => stream.push(null)).on('error', (error) => stream.destroy(error));
  to.on('error', (error) => stream.destroy(error));
  return stream;
}
