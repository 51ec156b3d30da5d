/** Links, anchors and paths in the project's Markdown lead somewhere. The network is not asked. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { listFiles, root } from '../scripts/files.ts';

const files = listFiles();

const known = new Set(files.flatMap((file) => [file, ...parentFolders(file)]));
const documents = files.filter((file) => file.endsWith('.md') && !file.startsWith('infra/sdks/'));

/** What a path of the project begins with: its folders, without those whose names begin with a dot. */
const topFolders = [...known].filter((path) => /^\w+$/.test(path) && files.some((file) => file.startsWith(`${path}/`)));
const pathPattern = new RegExp(`(?<![\\w./@-])(?:${topFolders.join('|')})/[\\w*./-]*\\w[\\w*./-]*`, 'g');

/** The folders that a file is in: `a/b/c.ts` gives `a` and `a/b`. */
function parentFolders(file: string): string[] {
  const parts = file.split('/').slice(0, -1);
  return parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
}

const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** A document without its fenced blocks. */
const withoutFences = (text: string): string => text.replace(/^( *)(```+|~~~+)[^\n]*\n[\s\S]*?^\1\2 *$/gm, '');

/** The targets of a document's links and pictures. Spans of code hold none. */
function readLinks(text: string): string[] {
  const prose = withoutFences(text).replace(/`[^`\n]*`/g, '``');
  const inline = [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)];
  const defined = [...prose.matchAll(/^\[[^\]]+\]:\s+(\S+)/gm)];
  return [...inline, ...defined].map(([, target = '']) => target);
}

/** The anchors that GitHub gives to a document's headings; one that is used again gets a number. */
function readAnchors(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutFences(text).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}\p{M} _-]/gu, '').replaceAll(' ', '-');
    let anchor = slug;
    for (let again = 1; anchors.has(anchor); again += 1) anchor = `${slug}-${again}`;
    anchors.add(anchor);
  }
  return anchors;
}

/**
 * What a document names as a path of the project, in code and in prose: a word that begins with one of its folders and a
 * slash. `NN-id` and `NAME` stand for any name.
 */
function readPaths(text: string): string[] {
  const found = withoutFences(text).match(pathPattern) ?? [];
  return [...new Set(found.map((path) => path.replace(/\.+$/, '')))];
}

/** Whether a link from a document leads to a file or folder of the project, and to an anchor that is there. */
function leadsSomewhere(document: string, link: string): boolean {
  const [path = '', anchor] = link.split('#', 2);
  const target =
    path === '' ? document : relative(root, resolve(root, dirname(document), decodeURIComponent(path))) || '.';
  if (target !== '.' && !known.has(target)) return false;
  return anchor === undefined || (target.endsWith('.md') && readAnchors(read(target)).has(anchor));
}

function pathExists(path: string): boolean {
  const pattern = path.replace(/NN-id|NAME/g, '*').replace(/\/$/, '');
  return pattern.includes('*') ? globSync(pattern, { cwd: root }).length > 0 : known.has(pattern);
}

describe('Markdown', () => {
  it('is there to be looked at', () => {
    assert.ok(documents.includes('README.md') && documents.some((file) => file.startsWith('labs/')));
    assert.ok(topFolders.includes('checker') && topFolders.includes('docs'));
  });

  it('has links that lead to a file, and to a heading of it', () => {
    const dead = documents.flatMap((document) =>
      readLinks(read(document))
        .filter((link) => !/^[a-z][a-z+.-]*:/i.test(link) && !leadsSomewhere(document, link))
        .map((link) => `${document}: ${link}`),
    );
    assert.deepEqual(dead, []);
  });

  it('names files and folders of the project that are there', () => {
    const gone = documents.flatMap((document) =>
      readPaths(read(document))
        .filter((path) => !pathExists(path))
        .map((path) => `${document}: ${path}`),
    );
    assert.deepEqual(gone, []);
  });

  it('is read as GitHub reads it', () => {
    const text =
      '# A `b/c`: d!\n\n[x](y.md#z "t") `[no](n.md)` checker/no.ts.\n\n```sh\n# no\n[no](n.md)\n```\n\n## A b/c d\n';
    assert.deepEqual(readLinks(text), ['y.md#z']);
    assert.deepEqual([...readAnchors(text)], ['a-bc-d', 'a-bc-d-1']);
    assert.deepEqual(readPaths(text), ['checker/no.ts']);
    assert.equal(pathExists('checker/no.ts'), false);
    assert.equal(leadsSomewhere('docs/faults.md', '../README.md#no-such-heading'), false);
  });
});
