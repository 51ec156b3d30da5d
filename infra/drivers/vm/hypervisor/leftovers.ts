import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type ProcessId, startOf } from '../identity.ts';

/**
 * QEMU processes that a private libvirtd started: its pid files (run/qemu/NAME.pid), believed only where the process
 * is a QEMU that was started for a guest of ours.
 */
export async function leftoverGuests(run: string): Promise<ProcessId[]> {
  const folder = join(run, 'qemu');
  const found: ProcessId[] = [];
  for (const file of await readdir(folder).catch(() => [])) {
    if (!file.endsWith('.pid')) continue;
    const pid = Number(await readFile(join(folder, file), 'utf8').catch(() => ''));
    if (!Number.isInteger(pid) || pid < 2) continue;
    const argv = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    const start = await startOf(pid);
    const program = await readlink(`/proc/${pid}/exe`).catch(() => '');
    const ours = argv.some((word) => word.startsWith(`guest=${file.slice(0, -'.pid'.length)},`));
    if (start !== undefined && ours && program.includes('qemu-system')) found.push({ pid, start });
  }
  return found;
}

/** Processes that carry `NAME=value` in the environment they were started with: a killed command's engine and plugins. */
export async function processesWith(name: string, value: string): Promise<ProcessId[]> {
  const wanted = `${name}=${value}`;
  const found: ProcessId[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    const environment = await readFile(`/proc/${entry}/environ`, 'utf8').catch(() => '');
    if (!environment.split('\0').includes(wanted)) continue;
    const start = await startOf(Number(entry));
    if (start !== undefined) found.push({ pid: Number(entry), start });
  }
  return found;
}

/** The end of a text file, control characters removed: for an error's `where`. */
export async function lastLines(file: string, count: number): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines = text
    .slice(-64_000)
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
  return (
    lines
      .slice(-count)
      // biome-ignore lint: control characters are what is removed
      .map((line) => line.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u001f\u007f-\u009f]/g, '').slice(0, 300))
      .join('\n')
  );
}
