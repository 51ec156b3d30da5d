// Installs the system packages of a target (infra/packages.list): node --import ./cli/loader.mjs scripts/packages.ts verify.
import { createProgress } from '../cli/stages.ts';
import { LabError } from '../host/errors.ts';
import { ensurePackages } from '../infra/packages.ts';

const targets = ['verify', 'test', 'build', 'vm', 'sandbox', 'docker', 'go', 'arm'] as const;
const target = targets.find((name) => name === process.argv[2]);
if (target === undefined) throw new Error(`usage: scripts/packages.ts ${targets.join('|')}`);
try {
  await ensurePackages(target, { progress: createProgress(process.stderr), signal: new AbortController().signal });
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  process.stderr.write(`${error.message}\n  next: ${error.next}\n`);
  process.exitCode = error.exit;
}
