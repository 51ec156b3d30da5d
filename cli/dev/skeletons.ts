/** What `lab dev new` writes: for each kind of thing the files it is made of, ready to be filled in, with a test that fails till then. */
import { readdirSync, readFileSync } from 'node:fs';
import { chapterIds } from '@handwired/host';

/** A change of the checkout. Paths are from its root. */
export type Change =
  | { write: string; text: string }
  /** `edit` gives the file's new text, or undefined where it does not find the place. */
  | { change: string; edit: (text: string) => string | undefined }
  | { move: string; to: string };

/** What is to be written, and what its author does next. */
export interface Skeleton {
  changes: Change[];
  /** In order; each a sentence. */
  steps: string[];
}

/** The kinds of things that have a skeleton. */
export const kinds = ['check', 'cause', 'fault', 'chapter'] as const;
/** One of them. */
export type Kind = (typeof kinds)[number];

/** How an id of each kind is written, with an example. */
export const idPatterns: Record<Kind, { pattern: RegExp; like: string }> = {
  check: { pattern: /^[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*$/, like: 'bridge.stp' },
  cause: { pattern: /^[a-z]+(-[a-z]+)*$/, like: 'bridge-vlan-filtering' },
  fault: { pattern: /^[a-z]+(-[a-z]+)*$/, like: 'bridge-filters-vlans' },
  chapter: { pattern: /^[a-z]{2,20}$/, like: 'multicast' },
};

/** The folder of the chapter at a place of the course, from the root. */
const folderAt = (at: number, id: string): string => `labs/${String(at).padStart(2, '0')}-${id}`;

/** The folder of a chapter, from the root. */
export const chapterFolder = (id: string): string =>
  folderAt(
    chapterIds.findIndex((one) => one === id),
    id,
  );

/** Puts an entry at the end of the list that a file of entries ends with: `  },\n];` or `  checks: [...],\n};`. */
const appendEntry =
  (entry: string, end: RegExp) =>
  (text: string): string | undefined => {
    const found = end.exec(text);
    return found ? `${text.slice(0, found.index)}${entry}${text.slice(found.index)}` : undefined;
  };

/** The skeleton of one check, `CHAPTER.NAME`. */
export function writeCheck(id: string): Skeleton {
  const [chapter = '', name = ''] = id.split('.');
  const folder = chapterFolder(chapter);
  const entry = `    {
      id: '${id}',
      title: (plan) => \`TODO: a sentence about \${plan.bridge} that is true when this check passes\`,
      needs: [],
      probes: [],
      judge: ({ facts }) => {
        const expected = 'TODO: what is right';
        const actual = \`TODO: what is there (\${facts.here.links.length} links)\`;
        return fail({ expected, actual, hint: { where: 'TODO: a command that shows it', wrong: 'TODO: what is wrong' } });
      },
      breaks: () => 'TODO: commands that make it fail on a right build',
    },
`;
  const test = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runChecks } from '../../checker/judge/run.ts';
import { type Case } from '../../checker/queries/check.ts';
import { readCase, checks } from '../../checker/testing/fixtures.ts';

const judge = (lab: Case): string | undefined =>
  runChecks(checks, lab).find(({ check }) => check.id === '${id}')?.verdict;

test('${id} passes on a right build', () => {
  assert.equal(judge(readCase('right')), 'pass');
});

test('${id} fails on a wrong one', () => {
  const lab = readCase('right');
  assert.fail('TODO: change lab.facts or lab.evidence to what is wrong');
  assert.equal(judge(lab), 'fail');
});

test('${id} does not throw where what it looks at is missing or of another shape', () => {
  assert.notEqual(judge(readCase('empty')), 'error');
});
`;
  return {
    changes: [
      { change: `${folder}/checks.ts`, edit: insertCheck(entry) },
      { write: `${folder}/${name}.test.ts`, text: test },
    ],
    steps: [`Fill in the TODOs of ${folder}/checks.ts and ${folder}/${name}.test.ts.`],
  };
}

/** At the end of `checks`, which is the last part of a grading, be it a list or an expression that gives one. */
const insertCheck =
  (entry: string) =>
  (text: string): string | undefined => {
    const listed = appendEntry(entry, /\n {2}\],\n\};\n$/)(text);
    if (listed !== undefined) return listed.replace(`${entry}\n  ],`, `\n${entry.trimEnd()}\n  ],`);
    const [whole, list = ''] = /^ {2}checks: ([^]*),\n\};\n$/m.exec(text) ?? [];
    return whole === undefined ? undefined : text.replace(whole, `  checks: [\n...${list},\n${entry}  ],\n};\n`);
  };

/** The lists of causes, each with its file: what `--in` takes. The most probable causes stand first in diagnose.ts. */
export function readCauseLists(root: URL): Map<string, string> {
  const folder = 'checker/diagnosis/causes/';
  return new Map(
    readdirSync(new URL(folder, root)).flatMap((name) =>
      [...readFileSync(new URL(folder + name, root), 'utf8').matchAll(/^export const (\w+): Cause\[\] = \[$/gm)].map(
        ([, list = '']): [string, string] => [list, folder + name],
      ),
    ),
  );
}

/** The skeleton of one cause, at the end of a list of causes. `path`: the list's file. */
export function writeCause(id: string, list: string, path: string): Skeleton {
  const entry = `
  {
    id: '${id}',
    hop: 'bridge',
    explains: ['connectivity.'],
    detect: ({ facts, plan }, walk) => {
      const supported = facts.here.links.some(({ name }) => name === 'TODO: what shows it, in facts or evidence');
      if (!supported || !mayEndAt(walk, 'bridge')) return undefined;
      return {
        seen: ['TODO: what supports it, in the kernel\\'s words'],
        wrong: \`TODO: what is wrong about \${plan.bridge}, and why the packet gets no further.\`,
        mend: ['TODO: the command that mends it'],
      };
    },
  },`;
  const test = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endAt, failed, listNamedCauses } from '../testing/damage.ts';
import { readCase } from '../testing/fixtures.ts';

test('${id} is named', () => {
  const lab = readCase('right');
  assert.fail('TODO: change lab.facts to what is wrong, and end the packets where they end then');
  endAt(lab, 'ct1>ct2', ['ct1 eth0 out', 'root veth-ct1 in']);
  const named = failed(lab).map(({ check, diagnosis }) => [check.id, diagnosis?.cause ?? 'none'].join(': '));
  assert.deepEqual(listNamedCauses(lab), ['${id}'], named.join('\\n'));
});

test('${id} is not named where the packets end there and nothing supports it', () => {
  const lab = readCase('right');
  endAt(lab, 'ct1>ct2', ['ct1 eth0 out', 'root veth-ct1 in']);
  assert.ok(!listNamedCauses(lab).includes('${id}'));
});
`;
  const needsImport = (text: string): string =>
    /\bmayEndAt\b/.test(text) ? text : `import { mayEndAt } from '../../queries/walk.ts';\n${text}`;
  const append = (text: string): string | undefined => {
    const start = text.indexOf(`export const ${list}: Cause[] = [`);
    const end = text.indexOf('\n];\n', start);
    return start < 0 || end < 0 ? undefined : text.slice(0, end) + entry + text.slice(end);
  };
  return {
    changes: [
      { change: path, edit: (text) => append(needsImport(text)) },
      { write: `checker/diagnosis/${id}.test.ts`, text: test },
    ],
    steps: [
      `Fill in the TODOs of ${path} and checker/diagnosis/${id}.test.ts. \`hop\` and \`explains\` are examples too; a cause that is a fact, whatever the packets do, is \`structural\`.`,
      'A fault that has it as its cause proves it on a lab host: lab dev new fault ID.',
    ],
  };
}

/** The skeleton of one fault. */
export function writeFault(id: string): Skeleton {
  const text = `import { $, type Fault, not } from '@handwired/course';

export const fault: Fault = {
  id: '${id}',
  title: 'TODO: the root cause in a short sentence, without this lab\\'s values.',
  level: 2,
  needs: 'connectivity',
  excludes: [],
  cause: 'TODO: id of the cause that the diagnosis must name',
  symptoms: ['TODO: ids of checks that fail with it'],
  inject: (plan) => [
    {
      done: $\`ip link show dev \${plan.bridge} | grep -q TODO\`,
      run: $\`echo TODO: the command that breaks it, as a learner would have typed it\`,
    },
  ],
  repair: (plan) => [
    {
      done: not($\`ip link show dev \${plan.bridge} | grep -q TODO\`),
      run: $\`echo TODO: the command that mends it\`,
    },
  ],
  explanation: 'TODO: how the symptoms follow from the cause, in a sentence or two.',
};
`;
  return {
    changes: [
      { write: `labs/faults/${id}.ts`, text },
      { change: 'labs/faults/registry.ts', edit: (registry) => insertFault(registry, id) },
    ],
    steps: [
      `Fill in the TODOs of labs/faults/${id}.ts. labs/faults/arp-off.ts is a short one to compare with; labs/faults/parts.ts finds a learner's links and rules whatever they are called.`,
    ],
  };
}

function insertFault(registry: string, id: string): string | undefined {
  const lines = registry.split('\n');
  const at = lines.findIndex((line) => (/^ {2}import\('\.\/(.*)\.ts'\),$/.exec(line)?.[1] ?? '') > id);
  const end = at < 0 ? lines.indexOf(']);') : at;
  return end < 0 ? undefined : lines.toSpliced(end, 0, `  import('./${id}.ts'),`).join('\n');
}

/** The files of a new chapter's folder. */
const chapterFiles = (id: string, at: number): Record<string, string> => ({
  'chapter.ts': `import { $, type ChapterContent, not, sh } from '@handwired/course';

export const chapter: ChapterContent = {
  title: 'TODO: what this chapter is about',
  needs: ['connectivity'],
  // The points of all chapters make 100: take them from others.
  points: 0,
  steps: [
    {
      id: 'todo',
      title: 'TODO: what is done.',
      why: 'TODO: what would not work without it.',
      docker: { does: 'TODO: what Docker does in this place.', source: 'daemon/libnetwork/TODO.go: function' },
      build: () => ({ done: $\`test -e /run/todo\`, run: $\`touch /run/todo\` }),
      undo: () => ({ done: not($\`test -e /run/todo\`), run: sh('rm /run/todo') }),
    },
  ],
  cleanup: {
    title: 'TODO: what is removed.',
    why: 'TODO: why it does not go by itself.',
    docker: { does: 'TODO: what Docker does in this place.', source: 'daemon/libnetwork/TODO.go: function' },
  },
};
`,
  'checks.ts': `import { type ChapterChecks, fail, findLink, pass } from '@handwired/checker/checks';

/** ${String(at)}: TODO: what is graded. */
export const grading: ChapterChecks = {
  isBegun: ({ facts }) => findLink(facts.here.links, 'TODO: what shows that it was begun') !== undefined,
  checks: [
    {
      id: '${id}.todo',
      title: (plan) => \`TODO: a sentence about \${plan.bridge} that is true when this check passes\`,
      needs: ['bridge.exists'],
      probes: [],
      judge: ({ facts }) => {
        const seen = { expected: 'TODO: what is right', actual: 'TODO: what is there' };
        return findLink(facts.here.links, 'TODO') ? pass(seen) : fail(seen);
      },
      breaks: () => 'TODO: commands that make it fail on a right build',
    },
  ],
};
`,
  'guide.md': `## What you will be able to do

- TODO

## The idea

TODO: 250 to 900 words in all.

::picture{connectivity}

## Steps

::step{todo}

## What Docker does

::docker

## What goes wrong

TODO

## Exercise

TODO

## Ask yourself

1. TODO
2. TODO
3. TODO
`,
  'answers.md': `TODO: what solves the exercise, and what is seen then.

\`\`\`sh
true
\`\`\`
`,
});

/** What was built last is cleaned up first: the new chapter's step stands before the others in cleanup's guide. */
const insertCleanupStep =
  (id: string) =>
  (text: string): string | undefined => {
    const step = /^If you [^]*?^::step/m.exec(text) ?? /^::step/m.exec(text);
    if (!step) return undefined;
    return `${text.slice(0, step.index)}If you did chapter ${id}: TODO, what goes.\n\n::step{${id}}\n\n${text.slice(step.index)}`;
  };

/** The skeleton of one chapter, the last before cleanup, which moves up by one. */
export function writeChapter(id: string): Skeleton {
  const at = chapterIds.indexOf('cleanup');
  const own = folderAt(at, id);
  return {
    changes: [
      { move: folderAt(at, 'cleanup'), to: folderAt(at + 1, 'cleanup') },
      ...Object.entries(chapterFiles(id, at)).map(([name, text]) => ({ write: `${own}/${name}`, text })),
      { change: `${folderAt(at + 1, 'cleanup')}/guide.md`, edit: insertCleanupStep(id) },
      {
        change: 'scripts/hops.json',
        edit: (text) => text.replaceAll(`${folderAt(at, 'cleanup')}/`, `${folderAt(at + 1, 'cleanup')}/`),
      },
      {
        change: 'host/plan.ts',
        edit: (text) =>
          text.includes("  'cleanup',\n] as const;")
            ? text.replace("  'cleanup',\n] as const;", `  '${id}',\n  'cleanup',\n] as const;`)
            : undefined,
      },
    ],
    steps: [
      `Fill in the TODOs of the four files in ${own}/. docs/guides.md describes the format of a guide.`,
      'The recorded commands of the course change with its steps: node --run record',
    ],
  };
}
