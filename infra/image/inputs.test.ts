import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabError } from '@handwired/host';
import { parseOsRelease, listSources } from './inputs.ts';

const debian = { ID: 'debian', VERSION_CODENAME: 'bookworm' };
const targets = [
  'bookworm bookworm http://mirror.example/debian/',
  'bookworm bookworm http://mirror.example/debian/',
  'bookworm-updates bookworm-updates http://mirror.example/debian/',
  'bookworm-security bookworm-security http://mirror.example/debian-security/',
  'bookworm-backports bookworm-backports http://mirror.example/debian/',
  'nodistro nodistro https://other.example/',
].join('\n');

test('the release of the image takes the place of the machine’s own, pocket by pocket', () => {
  const { suite, lines } = listSources(debian, targets, '');
  assert.equal(suite, 'trixie');
  assert.deepEqual(
    lines.map((line) => line.replace(/\[.*\] /, '')),
    [
      'deb http://mirror.example/debian-security/ trixie-security main',
      'deb http://mirror.example/debian/ trixie main',
      'deb http://mirror.example/debian/ trixie-updates main',
    ],
  );
});

test('a source that names `stable` is known by its codename', () => {
  assert.equal(listSources(debian, 'stable bookworm http://mirror.example/debian/', '').lines.length, 1);
});

test('Ubuntu keeps its own release, with universe', () => {
  const ubuntu = { ID: 'ubuntu', VERSION_CODENAME: 'noble' };
  const { suite, lines } = listSources(ubuntu, 'noble noble http://mirror.example/ubuntu/', '');
  assert.equal(suite, 'noble');
  // By a folder of keyrings apt proves nothing: signed-by names files (sources.list(5)).
  assert.deepEqual(lines, [
    'deb [signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg] http://mirror.example/ubuntu/ noble main universe',
  ]);
});

test('proxy and certificate settings go along, hooks and caches do not', () => {
  const config = [
    'Acquire "";',
    'Acquire::http "";',
    'Acquire::http::Proxy "http://proxy.example:3128/";',
    'Acquire::https::mirror.example::CaInfo "/etc/ssl/ours.pem";',
    'Acquire::https::Verify-Peer "true";',
    'Acquire::Changelogs::URI::Origin::Debian "http://mirror.example/";',
  ].join('\n');
  assert.deepEqual(listSources(debian, targets, config).aptOptions, [
    'Acquire::http::Proxy "http://proxy.example:3128/";',
    'Acquire::https::mirror.example::CaInfo "/etc/ssl/ours.pem";',
    'Acquire::https::Verify-Peer "true";',
  ]);
});

test('a machine without a usable source, or of another distribution, is told so', () => {
  assert.throws(() => listSources(debian, '', ''), LabError);
  assert.throws(() => listSources({ ID: 'fedora', VERSION_CODENAME: '' }, targets, ''), LabError);
});

test('os-release values are read with and without quotes', () => {
  assert.deepEqual(parseOsRelease('ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'), {
    ID: 'debian',
    PRETTY_NAME: 'Debian GNU/Linux 12 (bookworm)',
  });
});
