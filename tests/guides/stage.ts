import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  connect,
  type DriverName,
  listLabs,
  loadEndpoint,
  loadSpec,
  type Plan,
  run,
  type Session,
} from '@handwired/host';
import { labCommand } from '../lab.ts';
import { type BlockEnd, openRootShell, type RootShell } from './root-shell.ts';

/** The two windows of a learner. */
export interface Stage {
  /** The lab's name. */
  name: string;
  plan: Plan;
  /** The `lab` command; throws with its output when its exit code is not one of those (default 0). */
  lab(words: readonly string[], codes?: readonly number[]): Promise<string>;
  /** Types a block on the learner's own machine, where `lab` means this lab. Files stay from one block to the next. */
  here(text: string): Promise<BlockEnd>;
  /** Types a block into the root shell on the lab host: the same shell each time, unless it has ended. */
  there(text: string): Promise<BlockEnd>;
  /** Destroys the labs of the state folder. */
  end(): Promise<void>;
}

/**
 * Ends what hangs, and nothing else: a block may hold three commands that grade more than once each, and a grading takes
 * 20 s and more on a slow emulated VM.
 */
const blockMs: Record<DriverName, number> = { sandbox: 60_000, vm: 900_000 };

/** Whose lab it is to be: nobody's, with the default plan, or a student's with theirs. */
export interface StageOptions {
  driver: DriverName;
  student?: string | undefined;
}

/** Brings a lab up by the `lab` command, its state in the folder that XDG_STATE_HOME names. */
export async function stageOf({ driver, student }: StageOptions, folder: string): Promise<Stage> {
  const name = student === undefined ? 'guides' : `guides-${student}`;
  let session: Session | undefined;
  let shell: RootShell | undefined;
  const ms = blockMs[driver];
  const path = `${dirname(labCommand)}:${process.env['PATH'] ?? ''}`;
  // An empty variable is none: hints are the default ones.
  const env = { PATH: path, LAB_NAME: name, LAB_HINTS: '', NO_COLOR: '1' };
  const lab: Stage['lab'] = async (words, codes = [0]) => {
    const { code, stdout, stderr } = await run([labCommand, ...words], { cwd: folder, env, allowFailure: true });
    if (code === null || !codes.includes(code)) throw new Error(`lab ${words.join(' ')}: ${code}\n${stdout}${stderr}`);
    return stdout;
  };
  if (student === undefined) await lab(['up', name, '--driver', driver]);
  else {
    await writeFile(join(folder, 'roster.csv'), `student\n${student}\n`);
    await lab(['fleet', 'up', 'roster.csv', '--prefix', 'guides', '--driver', driver]);
  }
  const { plan } = await loadSpec(name);
  return {
    ...{ name, plan },
    lab,
    here: async (text) => {
      // Each command's failure counts, as in the shell on the lab host: the block's own status is that of its last.
      const file = join(folder, 'failed');
      await writeFile(file, '');
      const argv = ['bash', '-c', `exec 2>&1\ntrap 'echo $? >"$FAILED"' ERR\n${text}`];
      const own = { ...env, FAILED: file };
      const { code, stdout } = await run(argv, { cwd: folder, env: own, timeoutMs: ms, allowFailure: true });
      const failed = Number(await readFile(file, 'utf8'));
      return { status: code ?? undefined, failed: failed || (code ?? 1), output: stdout };
    },
    there: async (text) => {
      if (shell?.closed !== false) {
        session?.close();
        session = await connect(await loadEndpoint(name));
        shell = await openRootShell(session);
      }
      return shell.type(text, ms);
    },
    end: async () => {
      session?.close();
      for (const one of await listLabs()) await lab(['destroy', one]);
    },
  };
}
