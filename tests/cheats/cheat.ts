import { dns } from '../corpus/rights/dns.ts';
import { egress } from '../corpus/rights/egress.ts';
import { links } from '../corpus/rights/links.ts';
import { publish } from '../corpus/rights/publish.ts';
import { servers } from '../corpus/rights/servers.ts';

/** A way to make a wrong build look right. Each cheat is data in its own file, listed in registry.ts. */
export interface Cheat {
  /** The file's name. */
  name: string;
  /** A sentence: what it does. */
  what: string;
  /** Typed as root on a fresh lab host. */
  script: string;
  /** A shell condition that is true once the cheat waits for somebody to look; the grader comes then. */
  rest?: string;
  /**
   * What the naive checker of naive/ must say of it. `same`: no pretence but an attack on the grader, after which the
   * naive checker is not asked.
   */
  naive: 'pass' | 'same';
  /** Checks that must not pass; none: the build is right, and all of them pass in spite of it. */
  caught: string[];
  /** What the report must say in one of its texts or findings: what was seen. */
  seen: RegExp;
}

/** A right build and parts of it, as its texts. */
export const right = {
  links: links[0]?.script ?? '',
  egress: egress[0]?.script ?? '',
  dns: dns[0]?.script ?? '',
  publish: `${servers[0]?.script ?? ''}\n${publish[0]?.script ?? ''}`,
};
export const rightBuild = Object.values(right).join('\n');

/** Every line that the naive checker looks for, whatever it asks. */
export const everyAnswer = `ct1
ct2
2: br0: <BROADCAST,MULTICAST,UP,LOWER_UP> state UP
    inet 172.18.0.1/16 scope global br0
    inet 172.18.0.11/16 scope global eth0
    inet 172.18.0.12/16 scope global eth0
3 packets transmitted, 3 received, 0% packet loss, time 402ms
-A POSTROUTING -s 172.18.0.0/16 -o enp1s0 -j MASQUERADE
-A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 172.18.0.11:80
-A FORWARD -i br0 -o enp1s0 -j ACCEPT
93.184.216.34
HTTP 200`;

/** A shell script that prints all of that, at a path. */
export const liar = (path: string): string => `cat >${path} <<'LIAR'
#! /bin/sh
cat <<'LINES'
${everyAnswer}
LINES
LIAR
chmod +x ${path}`;

/** Starts a Python program that outlives the shell it was typed in; `until` is tested before the script goes on. */
export const python = (name: string, text: string, until = 'true'): string => `cat >/root/${name}.py <<'PYTHON'
${text}
PYTHON
setsid python3 /root/${name}.py </dev/null >/dev/null 2>&1 &
until ${until}; do :; done`;
