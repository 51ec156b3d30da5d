import { createRequire } from 'node:module';
import type { Options, ProcessOutput, ProcessPromise } from 'zx/core';
import { LabError } from './errors.ts';
import { quote } from './quote.ts';
import type { Session } from './session.ts';
import { killRemote, recordingSpawn, type Spawn, sessionSpawn } from './shell-spawn.ts';

/** What a finished command of a Shell gives: zx's stdout, stderr, exitCode, signal. */
export type ShellOutput = ProcessOutput;

/** zx's `$`, whose commands run on a lab host. `$({..options})` gives another with those options of zx. */
export interface Shell {
  (pieces: TemplateStringsArray, ...values: unknown[]): ProcessPromise;
  (options: Partial<Options>): Shell;
}

export interface ShellOptions {
  /** Called with each command line when it starts. */
  onCommand?: (line: string) => void;
  /** Ends what runs, and starts nothing more. */
  signal?: AbortSignal;
  /** For each command, default 60 000; on expiry the command is sent SIGTERM and fails. */
  timeoutMs?: number;
  /** Of each command's stdout and stderr, default 16 MiB each; beyond it the command fails. */
  maxBytes?: number;
}

/**
 * zx's `$` over a session: values are quoted for POSIX sh, and the command runs as root on the lab host, in /root with
 * the lab host's environment (zx's `cwd` and `env` are this machine's, and have no effect). What ProcessPromise can do,
 * it does: nothrow, quiet, stdout, exitCode, input, pipe, kill, timeout, abort. As with zx, stdin stays open unless
 * `input` is given. A command that fails rejects with a ProcessOutput. One that could not be run to its end (connection
 * lost, time or size exceeded) has code null and a LabError as its `cause`, with nothrow too: see `troubleOf`.
 */
export function shellOf(session: Session, options: ShellOptions = {}): Shell {
  return shellWith(sessionSpawn(session, options), options.signal);
}

/** A `$` that runs nothing: each command "succeeds" without output and is written down, quoted as `shellOf` does. */
export function recordOf(): { $: Shell; commands: string[] } {
  const commands: string[] = [];
  return { $: shellWith(recordingSpawn((line) => commands.push(line))), commands };
}

/** The LabError behind what a shell's command threw or, under nothrow, gave; undefined: it ran and ended by itself. */
export function troubleOf(output: unknown): LabError | undefined {
  const cause = output instanceof Error ? output.cause : undefined;
  return cause instanceof LabError ? cause : undefined;
}

type Zx = typeof import('zx/core');

/** Loaded at first use, so that commands which build nothing stay fast. */
function zx(): Zx {
  const core = createRequire(import.meta.url)('zx/core') as Zx;
  // Whatever escapes the options below must not run, or kill, anything on this machine.
  core.defaults.spawn = refuse;
  core.defaults.spawnSync = refuse;
  core.defaults.kill = killRemote;
  return core;
}

const refuse = (): never => {
  throw new TypeError('zx runs commands on lab hosts only; local ones are started by host/process.ts');
};

function shellWith(spawn: Spawn, signal?: AbortSignal): Shell {
  const options = {
    spawn: spawn as unknown as Options['spawn'],
    quote,
    shell: '/bin/sh',
    prefix: '',
    postfix: '',
    quiet: true,
    verbose: false,
    ...(signal ? { signal } : {}),
  };
  const base: unknown = zx().$(options);
  return withPipes(base as Shell);
}

/** zx's `pipe` runs its template by the global `$`; here it must run on the same lab host. */
function withPipes(base: Shell): Shell {
  const shell = (first: TemplateStringsArray | Partial<Options>, ...values: unknown[]): unknown =>
    isTemplate(first) ? pipingTo(shell as Shell, base(first, ...values)) : withPipes(base(first));
  return shell as Shell;
}

function pipingTo(shell: Shell, process: ProcessPromise): ProcessPromise {
  const { pipe } = process;
  const here =
    (to: (target: never) => unknown) =>
    (target: unknown, ...values: unknown[]): unknown =>
      to((isTemplate(target) ? shell({ halt: true, signal: process.signal })(target, ...values) : target) as never);
  const value = Object.assign(here(pipe), {
    stdout: here(pipe.stdout),
    stderr: here(pipe.stderr),
    stdall: here(pipe.stdall),
  });
  return Object.defineProperty(process, 'pipe', { value });
}

const isTemplate = (value: unknown): value is TemplateStringsArray => Array.isArray(value);
