// Installs the system packages of a target (infra/packages.list): node --import tsx scripts/packages.ts verify.
import { createProgress } from '../cli/progress.ts';
import { LabError } from '../host/errors.ts';
import { ensurePackages } from '../infra/packages.ts';

const target = process.argv[2];
if (target !== 'verify' && target !== 'build' && target !== 'vm' && target !== 'sandbox' && target !== 'go')
  throw new Error('usage: scripts/packages.ts verify|build|vm|sandbox|go');
try {
  await ensurePackages(target, { progress: createProgress(process.stderr), signal: new AbortController().signal });
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  process.stderr.write(`${error.message}\n  next: ${error.next}\n`);
  process.exitCode = error.exit;
}
