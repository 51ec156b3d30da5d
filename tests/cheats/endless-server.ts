import { type Cheat, rightBuild } from './cheat.ts';

export const endlessServer: Cheat = {
  name: 'endless-server',
  what: 'a right build whose server never stops talking',
  script: rightBuild.replace(
    /^setsid --fork ip netns exec ct1 python3 .*$/m,
    'printf \'#!/bin/sh\\nprintf "HTTP/1.0 200 OK\\\\r\\\\n\\\\r\\\\n"\\nexec yes\\n\' >/root/talk; chmod +x /root/talk\nip netns exec ct1 setsid socat TCP-LISTEN:80,fork,reuseaddr EXEC:/root/talk </dev/null >/dev/null 2>&1 &',
  ),
  naive: 'same',
  caught: [],
  seen: /./,
};
