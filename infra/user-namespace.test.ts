import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainRefusal } from './user-namespace.ts';

const said = 'unshare: unshare failed: Operation not permitted';
const free = { 'user.max_user_namespaces': '15000' };

for (const [name, value] of [
  ['user.max_user_namespaces', '0'],
  ['kernel.unprivileged_userns_clone', '0'],
  ['kernel.apparmor_restrict_unprivileged_userns', '1'],
] as const) {
  test(`a refusal names the setting ${name} and the command that changes it`, () => {
    const refusal = explainRefusal(said, { subordinate: true, sysctls: { ...free, [name]: value } });
    assert.match(refusal.what, new RegExp(`: ${name.replaceAll('.', '\\.')} is ${value}$`));
    assert.match(refusal.next, new RegExp(`^sudo sysctl ${name.replaceAll('.', '\\.')}=(0|1|15000) `));
    assert.equal(refusal.where, said);
  });
}

test('a user without subordinate ids is told the command that gives some', () => {
  const { what, next } = explainRefusal(said, { subordinate: false, sysctls: free });
  assert.match(what, /has no subordinate ids/);
  assert.match(next, /^sudo usermod --add-subuids \d+-\d+ --add-subgids \d+-\d+ \S+$/);
});

test('where nothing known forbids it, the words of the kernel are passed on', () => {
  const { what, next } = explainRefusal(said, { subordinate: true, sysctls: free });
  assert.match(what, /refuses namespaces to plain users: unshare: .* not permitted$/);
  assert.match(next, /^sudo -E \S+lab up$/);
});
