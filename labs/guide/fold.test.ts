import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldCommand, foldCommands, foldOutput, foldPath, wrap } from './fold.ts';

const command =
  "iptables -t raw -A PREROUTING -d 172.18.0.11 ! -i br0 -m comment --comment 'by hand' -j DROP | tail -n 1";

test('A command that is too long goes on over lines that a shell reads as one', () => {
  for (let columns = 40; columns < 120; columns += 1) {
    const lines = foldCommand(command, columns);
    assert.ok(
      lines.every((line) => line.length <= columns),
      lines.join('\n'),
    );
    assert.equal(lines.join('\n').replaceAll(/ \\\n */g, ' '), command);
  }
});

test('It is folded before a pipe or an option, never in quotes or between ! and its option', () => {
  assert.deepEqual(foldCommand(command, 60), [
    'iptables -t raw -A PREROUTING -d 172.18.0.11 ! -i br0 \\',
    "    -m comment --comment 'by hand' -j DROP | tail -n 1",
  ]);
  assert.deepEqual(foldCommand("echo 'a b c d e f g h i j k l m n'", 20), [
    'echo \\',
    "    'a b c d e f g h i j k l m n'",
  ]);
});

test('Comments and here documents stay as they are', () => {
  const long = `# ${'word '.repeat(20).trim()}`;
  assert.deepEqual(foldCommand(long, 40), [long]);
  const here = `cat <<EOF > file\n${'word '.repeat(20).trim()}\nEOF`;
  assert.deepEqual(foldCommands(here, 40), here.split('\n'));
});

test('Output keeps its blanks, and what is too long goes on further to the right', () => {
  assert.deepEqual(foldOutput('  a   b', 20), ['  a   b']);
  assert.deepEqual(foldOutput('    inet 172.18.0.1/16 scope global br0', 24), [
    '    inet',
    '    172.18.0.1/16 scope',
    '    global br0',
  ]);
});

test('A path is folded behind a slash, text at blanks', () => {
  assert.deepEqual(foldPath('daemon/libnetwork/osl/interface_linux.go: moveLink', 30), [
    'daemon/libnetwork/osl/',
    'interface_linux.go: moveLink',
  ]);
  assert.deepEqual(wrap('one two three', 12, '- '), ['- one two', '  three']);
});
