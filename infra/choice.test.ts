import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Abilities, judgeChoice } from './choice.ts';

const able: Abilities = { obstacles: { vm: undefined, sandbox: undefined }, emulated: undefined, missing: [] };
const noSandbox = { ...able, obstacles: { vm: undefined, sandbox: 'not root' } };

describe('--driver auto', () => {
  for (const [when, abilities, name, why] of [
    ['a VM where KVM boots and all is there', able, 'vm', /^KVM boots here.*lab up --driver sandbox$/],
    [
      'a sandbox where a VM would be emulated',
      { ...able, emulated: 'no KVM' },
      'sandbox',
      /no KVM.*lab up --driver vm$/,
    ],
    [
      'a sandbox where a VM would have to be set up first',
      { ...able, missing: ['an image'] },
      'sandbox',
      /an image.*lab setup vm, then lab up --driver vm$/,
    ],
    [
      'a sandbox where no VM can run',
      { ...able, obstacles: { vm: 'no memory', sandbox: undefined } },
      'sandbox',
      /^no VM can run here: no memory$/,
    ],
    [
      'a sandbox, whose driver says the rest, where neither can run',
      { ...able, obstacles: { vm: 'no namespaces', sandbox: 'no namespaces' } },
      'sandbox',
      /^no VM can run here: no namespaces$/,
    ],
    ['a VM where no sandbox can run', { ...noSandbox, missing: ['an image'] }, 'vm', /no sandbox .*: not root$/],
    ['an emulated VM where no sandbox can run', { ...noSandbox, emulated: 'no KVM' }, 'vm', /emulated.*\(no KVM\); /],
  ] as const)
    it(`takes ${when}, and says so`, () => {
      const choice = judgeChoice(abilities);
      assert.equal(choice.name, name);
      assert.match(choice.why, why);
    });
});
