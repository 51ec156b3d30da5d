/** Colours have a contrast of 4.5:1 and more on their ground, in the light and in the dark (WCAG 2.2, 1.4.3). */
export const style = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #4a5260; --ground: #ffffff; --band: #f3f5f8; --line: #c9d0da;
  --pass: #0f6b32; --fail: #a8141f; --skipped: #4a5260; --error: #7a4a00; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ebf0; --soft: #b4bcc9; --ground: #14171c; --band: #1f242c; --line: #3d4654;
    --pass: #6fd694; --fail: #ff9a9a; --skipped: #b4bcc9; --error: #f2c063; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 62rem; color: var(--ink); background: var(--ground);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; }
h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; }
p { margin: .35rem 0; }
table { width: 100%; table-layout: fixed; border-collapse: collapse; }
caption { padding: .25rem 0; text-align: left; color: var(--soft); }
th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; font-weight: normal; }
thead th { background: var(--band); font-weight: 600; }
.number { text-align: right; width: 7rem; }
.verdict { width: 5.5rem; font-weight: 600; }
.pass { color: var(--pass); } .fail { color: var(--fail); } .skipped { color: var(--skipped); } .error { color: var(--error); }
code, pre { font: .9em/1.45 ui-monospace, monospace; }
code { color: var(--soft); }
dl { margin: .4rem 0 .2rem; padding: .5rem .75rem; background: var(--band); border-left: .25rem solid var(--line); }
dt { font-weight: 600; } dd { margin: 0 0 .35rem; }
pre { margin: 0; white-space: pre-wrap; }
footer { margin-top: 2.5rem; color: var(--soft); font-size: .9rem; }
@media (max-width: 30rem) { .number { width: 4.5rem; } .verdict { width: 5rem; } th, td { padding: .4rem .3rem; } }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #333; --ground: #fff; --band: #fff; --line: #888;
    --pass: #000; --fail: #000; --skipped: #333; --error: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  tr, dl { break-inside: avoid; } h2 { break-after: avoid; } thead { display: table-header-group; }
}
`;
