import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { hostPaths, run, world } from '@handwired/host';

const cloudInit = join(import.meta.dirname, '../cloud-init');
const text = (file: string): Promise<string> => readFile(join(cloudInit, file), 'utf8');

/** Runs Python with world.py imported as `world`; what it prints is JSON. */
async function python(program: string): Promise<unknown> {
  const start = `import json, sys\nsys.path.insert(0, sys.argv[1])\nsys.dont_write_bytecode = True\nimport world\n`;
  const { stdout } = await run(['python3', '-I', '-c', start + program, join(cloudInit, 'files')]);
  return JSON.parse(stdout);
}

describe('the world', () => {
  it('has the same numbers in Python as in host/world.ts', async () => {
    const names =
      '[world.RESOLVERS, world.SITE_NAME, world.SITE_ADDRESS, *world.HTTP_PORTS, world.HTTPS_PORT, world.OUTSIDE, world.UPLINK, world.RUN]';
    const { site, outside, uplink } = world;
    const ports = site.ports.filter((port) => port !== 443);
    const expected = [world.resolvers, site.name, site.address, ...ports, 443, outside, uplink.address, hostPaths.run];
    assert.deepEqual(await python(`print(json.dumps(${names}))`), expected);
  });

  it('waits longer for a request than the grader does for an answer, so that a slow lab host is not taken for a wrong one', async () => {
    const clock = await readFile(join(cloudInit, '../agent/traffic.py'), 'utf8');
    const most = Number(/^ {4}most_lost = ([\d.]+)$/m.exec(clock)?.[1]);
    const [read, knock] = (await python('print(json.dumps([world.READ_SECONDS, world.KNOCK_SECONDS]))')) as number[];
    // The grader's patience, and as much again for the time in which it was not let run.
    assert.ok((read ?? 0) > 2 * most, `${read ?? ''} s, and the grader may wait ${2 * most} s`);
    assert.ok((knock ?? 0) < (read ?? 0));
  });

  it('has the same numbers in the shell scripts as in host/world.ts', async () => {
    const { uplink } = world;
    const near = await text('scripts/55-world.sh');
    assert.match(near, new RegExp(`^addr add ${uplink.address}/${uplink.prefix} dev ${uplink.name}$`, 'm'));
    assert.match(near, new RegExp(`^route add default via ${uplink.gateway} dev ${uplink.name}$`, 'm'));
    const far = await text('files/world-start');
    const outer = [`${uplink.gateway}/${uplink.prefix}`, `${world.lanPeer}/${uplink.prefix}`];
    const inner = [...world.resolvers, world.site.address, world.outside].map((address) => `${address}/32`);
    const added = Array.from(far.matchAll(/^addr add (\S+) dev/gm), ([, address]) => address);
    assert.deepEqual(added.sort(), [...outer, ...inner].sort());
  });

  it('answers questions for the site`s names only, and says at once that there are no others', async () => {
    const program = `
def ask(name, kind):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    query = b"\\x12\\x34\\x01\\x00\\x00\\x01" + bytes(6) + labels + b"\\0" + bytes([0, kind, 0, 1])
    noted = []
    reply = world.answer(query, lambda *fields: noted.append(fields))
    assert reply[:2] == b"\\x12\\x34" and reply[2] & 0x81 == 0x81
    return [reply[3] & 15, reply[7], list(reply[-4:]) if reply[7] else None, noted]
print(json.dumps([ask("example.com", 1), ask("A.b.Example.COM", 1), ask("example.com", 28), ask("badexample.com", 1), ask("example.net", 15)]))`;
    const address = [93, 184, 216, 34];
    assert.deepEqual(await python(program), [
      [0, 1, address, [['example.com', 'A']]],
      [0, 1, address, [['a.b.example.com', 'A']]],
      [0, 0, null, [['example.com', 'AAAA']]],
      [3, 0, null, [['badexample.com', 'A']]],
      [3, 0, null, [['example.net', 'MX']]],
    ]);
  });

  it('lives through any bytes that come as a question', async () => {
    const program = `
import random
random.seed(7)
query = b"\\x12\\x34\\x01\\0\\0\\x01" + bytes(6) + b"\\7example\\3com\\0\\0\\1\\0\\1"
codes = {}
for turn in range(20000):
    if turn % 2:
        message = bytearray(query)
        for _ in range(random.randrange(1, 6)): message[random.randrange(len(message))] = random.randrange(256)
        message = bytes(message[: random.randrange(len(message) + 1)])
    else:
        message = random.randbytes(random.randrange(64))
    reply = world.answer(message, lambda name, kind: json.dumps([name, kind]))
    code = None if reply is None else reply[3] & 15
    codes[str(code)] = codes.get(str(code), 0) + 1
    assert reply is None or len(reply) <= len(message) + 16
print(json.dumps(sorted(codes)))`;
    assert.deepEqual(await python(program), ['0', '1', '3', '4', 'None']);
  });

  it('has the outside client knock on a port, and says in time what came of it, whatever answers', async () => {
    const program = `
import asyncio, os, tempfile
world.OUTSIDE, world.UPLINK, world.KNOCK_SECONDS = "127.0.0.2", "127.0.0.1", 0.2
heads = []
def server(reply):
    async def serve(reader, writer):
        heads.append((await reader.readuntil(b"\\r\\n\\r\\n")).decode())
        if reply is None: await asyncio.sleep(1)
        writer.write(reply or b""); writer.close()
    return asyncio.start_server(serve, "127.0.0.1", 0)
async def main(folder):
    world.RUN, came = folder, []
    site = world.World()
    for reply in (b"HTTP/1.0 204 No Content\\r\\n\\r\\n", b"", None, b"\\x1b[2Jgo away\\n", b"x" * 100000):
        listening = await server(reply)
        port = listening.sockets[0].getsockname()[1]
        status, text = await site.knock(port)
        came.append([status[:3], text.split(": ", 1)[1]])
        listening.close()
    status, text = await site.knock(port)
    came.append([status[:3], text.split(": ", 1)[1]])
    log = [json.loads(line) for line in open(folder + "/world.log")]
    return [came, heads[0].split("\\r\\n")[0], [log[0][key] for key in ("kind", "src", "dst", "came")], len(log)]
with tempfile.TemporaryDirectory() as folder: print(json.dumps(asyncio.run(main(folder))))`;
    const replies = [
      ['200', 'HTTP/1.0 204 No Content\n'],
      ['502', 'connected, and closed without a reply\n'],
      ['504', 'connected, but no reply in 0.2 s\n'],
      ['200', '?[2Jgo away\n'],
      ['200', `${'x'.repeat(200)}\n`],
      ['502', 'Connection refused\n'],
    ];
    const logged = ['knock', '127.0.0.2', '127.0.0.1', 'HTTP/1.0 204 No Content'];
    assert.deepEqual(await python(program), [replies, 'GET / HTTP/1.1', logged, replies.length]);
    const paths =
      '["/knock/8080", "/knock/0", "/knock/65536", "/knock/80/x", "/knock/", "/", "/knock/\u0661", "/knock/80?x"]';
    assert.deepEqual(await python(`print(json.dumps([world.knocked(path) for path in ${paths}]))`), [
      8080,
      ...Array.from({ length: 7 }, () => null),
    ]);
  });

  it('keeps its log within bounds, in whole lines', async () => {
    const program = `
import os, tempfile
with tempfile.TemporaryDirectory() as folder:
    world.LOG_BYTES = 4000
    log = world.Log(folder + "/world.log")
    for turn in range(500): log.write("dns", name='a"\\n\\x00\\u2028' * 3, turn=turn)
    files = [folder + "/" + name for name in sorted(os.listdir(folder))]
    lines = [json.loads(line) for file in files for line in open(file)]
    print(json.dumps([len(files), max(map(os.path.getsize, files)) <= 4000, max(line["turn"] for line in lines)]))`;
    assert.deepEqual(await python(program), [2, true, 499]);
  });
});
