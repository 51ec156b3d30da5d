import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LabError } from '@handwired/host';
import { download, findGoReason } from './build.ts';

const folder = await mkdtemp(join(tmpdir(), 'download-'));
const vendor = createServer((request, response) => {
  if (request.url === '/missing') response.writeHead(404).end();
  else if (request.url === '/broken') {
    response.writeHead(200, { 'content-length': '100' }).write('half');
    setImmediate(() => response.destroy());
  } else response.end('a program');
});
vendor.listen(0, '127.0.0.1');
await once(vendor, 'listening');
const base = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`;
after(async () => {
  vendor.close();
  await rm(folder, { recursive: true, force: true });
});

const sum = createHash('sha256').update('a program').digest('hex');
const { signal } = new AbortController();
const get = (path: string, sha256: string, file: string): Promise<boolean> =>
  download(`${base}${path}`, sha256, join(folder, file), signal, () => undefined);

test('a download with the pinned checksum is kept', async () => {
  assert.equal(await get('/tool', sum, 'good'), true);
  assert.equal(await readFile(join(folder, 'good'), 'utf8'), 'a program');
});

test('a download with another checksum is an error that names both', async () => {
  await assert.rejects(get('/tool', '0'.repeat(64), 'bad'), (error: LabError) => {
    assert.ok(error instanceof LabError);
    assert.match(error.message, new RegExp(`${sum}, not 0000`));
    return true;
  });
});

test('a vendor that is not there, has no such file, or breaks off is no error', async () => {
  assert.equal(await get('/missing', sum, 'none'), false);
  assert.equal(await get('/broken', sum, 'half'), false);
  assert.equal(await download('http://127.0.0.1:1/', sum, join(folder, 'away'), signal, () => undefined), false);
});

test("a download goes through the machine's proxy", async () => {
  const asked: string[] = [];
  const proxy = createServer().on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    const target = connect((vendor.address() as AddressInfo).port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      target.pipe(socket).pipe(target);
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const old = { ...process.env };
  try {
    process.env.HTTP_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const url = 'http://vendor.invalid/tool';
    assert.equal(await download(url, sum, join(folder, 'proxied'), signal, () => undefined), true);
    assert.deepEqual(asked, ['vendor.invalid:80']);
  } finally {
    process.env = old;
    proxy.close();
  }
});

test('why a build failed is told, though names of packages stand before and behind it', () => {
  const compiled = `go: downloading github.com/olekukonko/tablewriter v1.1.3
github.com/yuin/goldmark
# github.com/charmbracelet/glamour/ansi
ansi/table.go:61:19: ctx.table.writer.SetBorders undefined (type *tablewriter.Table has no field or method SetBorders)
github.com/pulumi/pulumi/pkg/v3/util/afero
go.uber.org/automaxprocs/maxprocs
`;
  assert.match(findGoReason(compiled), /^ansi\/table.go:61:19: ctx.table.writer.SetBorders undefined [^;]*$/);
  const offline = `go: github.com/zclconf/go-cty@v1.16.3: Get "https://mirror.invalid/@v/v1.16.3.mod": dial tcp: lookup mirror.invalid: no such host
`;
  assert.match(findGoReason(offline), /^go: github.com\/zclconf.*no such host$/);
  assert.equal(findGoReason('github.com/yuin/goldmark\n'), 'it said nothing');
});
