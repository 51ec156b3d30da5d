import { $, type Command, type Fault, sh } from '@handwired/course';
import type { Container } from '@handwired/host';

/** A small range of source ports, so that a new connection meets an old entry. */
const ports = { first: 40000, last: 40127 };
const usual = { first: 32768, last: 60999 };

const setPortRange = ({ name }: Container, { first, last }: typeof usual): Command => ({
  done: $`ip netns exec ${name} sysctl -n net.ipv4.ip_local_port_range | grep -q ${`^${first}.${last}$`}`,
  run: $`ip netns exec ${name} sysctl -w ${`net.ipv4.ip_local_port_range=${first} ${last}`}`,
});

/** The address of a container of this subnet that was once a resolver and does not exist any more. */
const findGoneAddress = (subnet: string): string => subnet.replace(/0\/\d+$/, '53');

export const fault: Fault = {
  id: 'old-translation-kept',
  title: 'Connection tracking remembers a translation that no rule makes any more.',
  level: 3,
  needs: 'dns',
  excludes: [],
  cause: 'conntrack-stale',
  symptoms: ['dns.ct1'],
  inject: ({ ct1, resolver, subnet }) => {
    const entry = [
      '-p',
      'udp',
      '--orig-src',
      ct1.address,
      '--orig-dst',
      resolver,
      '--dport',
      '53',
      '--dst-nat',
      findGoneAddress(subnet),
    ];
    const kept = ['--timeout', '86400', '--status', 'ASSURED,SEEN_REPLY,FIXED_TIMEOUT'];
    return [
      setPortRange(ct1, ports),
      {
        done: $`conntrack -L -p udp --orig-src ${ct1.address} --reply-src ${findGoneAddress(subnet)} 2> /dev/null | grep -q .`,
        run: sh(
          `for port in $(seq ${ports.first} ${ports.last}); do ${$`conntrack -I ${entry} ${kept}`.cmd} --sport "$port" > /dev/null 2>&1; done`,
        ),
      },
    ];
  },
  repair: ({ ct1, subnet }) => [
    {
      done: $`! conntrack -L -p udp --orig-src ${ct1.address} --reply-src ${findGoneAddress(subnet)} 2> /dev/null | grep -q .`,
      run: $`conntrack -D -p udp --orig-src ${ct1.address} --reply-src ${findGoneAddress(subnet)}`,
    },
    setPortRange(ct1, usual),
  ],
  explanation:
    'The rules of nat are asked only for the first packet of a connection. Later packets are translated by the entry that connection tracking made then. A program that uses the same port again keeps such an entry alive, although its destination does not exist any more.',
};
