import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { connect, Endpoint, type Session } from '@handwired/host';
import { withLabs, type Lab } from '../lab.ts';

/** A sandbox lab that all tests of one `describe` share, and a session to it beside the commands under test. */
export interface SharedLab {
  lab: Lab;
  session: Session;
  env: Record<string, string>;
  /** Passes when no process on the lab host has these words in its command line any more, in five seconds. */
  noneRuns(words: string): Promise<void>;
}

/** Call it in a `describe`; the returned function gives the lab inside its tests. */
export function sharedLab(name: string): () => SharedLab {
  let shared: SharedLab;
  let labs: Promise<void>;
  const up = Promise.withResolvers<Lab>();
  const done = Promise.withResolvers<undefined>();
  before(async () => {
    labs = withLabs(async (lab) => {
      const { code, stderr } = await lab('up', name, '--driver', 'sandbox');
      assert.equal(code, 0, stderr);
      up.resolve(lab);
      await done.promise;
    });
    labs.catch(up.reject);
    const lab = await up.promise;
    const file = join(lab.state, 'handwired/labs', name, 'endpoint.json');
    const session = await connect(Endpoint.parse(JSON.parse(await readFile(file, 'utf8'))));
    const noneRuns = async (words: string): Promise<void> => {
      // The bracket keeps pgrep's own shell from being found.
      const look = `pgrep -f '[${words[0] ?? ''}]${words.slice(1)}'`;
      for (const end = Date.now() + 5000; Date.now() < end; ) if ((await session.exec(look)).code === 1) return;
      assert.fail(`${words} still runs`);
    };
    shared = { lab, session, env: { XDG_STATE_HOME: lab.state }, noneRuns };
  });
  after(async () => {
    shared.session.close();
    done.resolve(undefined);
    await labs;
  });
  return () => shared;
}
