/** What lab.sh starts: the `lab` command with this process's words and streams. */
import { runLab } from './main.ts';

const exit = await runLab(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr });
// Both streams are drained, then the process ends: a library's idle socket must not hold the prompt back.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))));
process.exit(process.exitCode ?? exit);
