/** The engine's own error lines, out of everything it printed. */
export function diagnostics(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  const errors = lines.filter((line) => /^(\* |error: |.*: error: )/.test(line) && !/update failed$/.test(line));
  const chosen = errors.length > 0 ? errors : lines.filter((line) => line !== '').slice(-3);
  const plain = chosen.map((line) => line.replace(/^.*error: (\[ERROR\] : )?|^\* /, '').replace(/:?\s*$/, ''));
  return [...new Set(plain)].join('; ').slice(0, 1500);
}
