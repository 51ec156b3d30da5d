/** Run by sandbox.test.ts, which kills it: brings a lab up. argv: the spec as JSON. Says so when it begins. */
import { LabSpec } from '@handwired/host';
import { sandbox } from '../../infra/drivers/sandbox/index.ts';
import { work } from '../sandbox/sandbox.ts';

const spec = LabSpec.parse(JSON.parse(process.argv[2] ?? ''));
process.stdout.write('begun\n');
await sandbox.up(spec, work());
process.stdout.write('up\n');
