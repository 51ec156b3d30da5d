import { readFileSync } from 'node:fs';
import { type Cheat, liar } from './cheat.ts';

const recorded = readFileSync(new URL('../../checker/fixtures/right.json', import.meta.url), 'utf8');

/** In python3's place: takes the grader's fresh nonce from its stdin and frames an old right answer with it. */
const replay = `#!/usr/bin/perl
local $/ = "\\n";
my ($nonce) = (<STDIN> // "") =~ /"nonce": *"([0-9a-f]+)"/;
exit 0 unless $nonce;
my $program = do { local $/; <STDIN> };
my $file = $program =~ /getent/ ? "/root/evidence.json" : "/root/facts.json";
open my $in, "<", $file; my $body = do { local $/; <$in> };
printf "%s %d\\n%s\\n%s end\\n", $nonce, length $body, $body, $nonce;
`;

const { raw, evidence } = JSON.parse(recorded) as { raw: unknown; evidence: unknown };
const write = (path: string, text: string): string => `cat >${path} <<'TEXT'\n${text}\nTEXT`;

export const replayedAnswer: Cheat = {
  name: 'replayed-answer',
  what: 'bind mounts over python3 and the tools: an old right answer comes back to the grader, framed with its new nonce',
  script: `${write('/root/facts.json', JSON.stringify(raw))}
${write('/root/evidence.json', JSON.stringify(evidence))}
${write('/root/replay', replay)}
${liar('/root/liar')}
chmod +x /root/replay
for tool in ip ping curl iptables dig; do mount --bind /root/liar $(readlink -f $(command -v $tool)); done
mount --bind /root/replay $(readlink -f /usr/bin/python3)`,
  naive: 'pass',
  caught: ['namespaces.ct1', 'bridge.exists', 'egress.ct1', 'publish.outside'],
  seen: /python3/,
};
