import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { renderSeed } from './seed.ts';

const privateKey = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----\n';
const inputs = {
  name: 'lab',
  instance: 'i-0123',
  hostKeyPair: { privateKey, publicKey: 'ssh-ed25519 AAAAhost' },
  authorizedKey: 'ssh-ed25519 AAAAuser',
  env: { LAB_NAME: 'lab', FORWARD_POLICY: 'drop', IP_FORWARD: '0' },
};

interface UserData {
  hostname: string;
  write_files: { path: string; permissions: string; content: string; owner: string }[];
}

/** Reads text as cloud-init does: with PyYAML, which implements YAML 1.1. */
const read = (text: string): unknown => parse(text, { version: '1.1' });
const filesOf = (userData: string): Map<string, { permissions: string; content: string }> =>
  new Map((read(userData) as UserData).write_files.map((file) => [file.path, file]));

test('user-data starts with the line that cloud-init knows it by', () => {
  assert.match(renderSeed(inputs).userData, /^#cloud-config\n/);
});

test('keys and environment arrive byte for byte, and secrets are readable by root only', () => {
  const files = filesOf(renderSeed(inputs).userData);
  assert.deepEqual(
    { ...files.get('/etc/handwired/ssh_host_ed25519_key') },
    { path: '/etc/handwired/ssh_host_ed25519_key', owner: 'root:root', permissions: '0600', content: privateKey },
  );
  assert.equal(files.get('/etc/handwired/authorized_keys')?.content, 'ssh-ed25519 AAAAuser\n');
  assert.equal(files.get('/etc/handwired/lab.env')?.content, 'LAB_NAME=lab\nFORWARD_POLICY=drop\nIP_FORWARD=0\n');
});

test('permissions stay text, not octal numbers', () => {
  for (const { permissions } of filesOf(renderSeed(inputs).userData).values()) assert.match(permissions, /^0[0-7]{3}$/);
});

test('a value that YAML or a shell would take for something else stays what it is', () => {
  const strange = "no: 'x' $(reboot)\u0001 # y";
  const { userData, metaData } = renderSeed({ ...inputs, name: '0123', env: { LAB_NAME: strange } });
  assert.equal(
    filesOf(userData).get('/etc/handwired/lab.env')?.content,
    `LAB_NAME='${strange.replaceAll("'", `'\\''`)}'\n`,
  );
  assert.deepEqual(read(metaData), { 'instance-id': 'i-0123', 'local-hostname': '0123', dsmode: 'local' });
});

test('equal inputs give equal seeds', () => {
  assert.deepEqual(renderSeed(inputs), renderSeed(structuredClone(inputs)));
});
