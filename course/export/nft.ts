/** A rule of our build for nft, for machines without iptables. */
interface NftRule {
  chain: string;
  words: string[];
}

/** The script's own table. Everything in it is the script's, so it is removed as a whole. */
export const nftTable = 'by_hand';

/**
 * The hook and priority of each chain of iptables (iptables(8), nft(8)). Priorities are numbers, because nft does not
 * know their names on every hook.
 */
const chains: Record<string, { name: string; type: string; hook: string; priority: number }> = {
  'raw PREROUTING': { name: 'prerouting_raw', type: 'filter', hook: 'prerouting', priority: -300 },
  'nat PREROUTING': { name: 'prerouting_nat', type: 'nat', hook: 'prerouting', priority: -100 },
  'nat OUTPUT': { name: 'output_nat', type: 'nat', hook: 'output', priority: -100 },
  'filter FORWARD': { name: 'forward', type: 'filter', hook: 'forward', priority: 0 },
  'nat POSTROUTING': { name: 'postrouting_nat', type: 'nat', hook: 'postrouting', priority: 100 },
};

type Translate = (value: string, not: string[]) => string[];

/**
 * How each option of iptables is written in nft (iptables-extensions(8), nft(8)). An option that is not here is
 * refused.
 */
const options: Record<string, Translate> = {
  '-i': (link, not) => ['iifname', ...not, link],
  '-o': (link, not) => ['oifname', ...not, link],
  '-s': (address, not) => ['ip', 'saddr', ...not, address],
  '-d': (address, not) => ['ip', 'daddr', ...not, address],
  '-p': () => [], // its port says it
  '--dport': (port, not) => ['tcp', 'dport', ...not, port],
  '-m': () => [],
  '--dst-type': (type, not) => ['fib', 'daddr', 'type', ...not, type.toLowerCase()],
  '--src-type': (type, not) => ['fib', 'saddr', 'type', ...not, type.toLowerCase()],
  '--ctstate': (state, not) => ['ct', state === 'DNAT' ? 'status' : 'state', ...not, state.toLowerCase()],
  '--comment': () => [],
  '-j': (target) => (target === 'DNAT' ? ['dnat', 'to'] : [target.toLowerCase()]),
  '--to-destination': (target) => [target],
};

/** Translates one `iptables ... -A CHAIN ...` of the build. Throws TypeError for anything that has no translation. */
export function translateRule(command: string): NftRule {
  const refuse = (why: string): never => {
    throw new TypeError(`no nft for ${why}: ${command}`);
  };
  const [program, ...words] = command.split(' ');
  if (program !== 'iptables' || /['"\\$]/.test(command)) refuse('this command');
  let table = 'filter';
  let chain = '';
  let not: string[] = [];
  const found: string[] = [];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '!') not = ['!='];
    else {
      const value = words.shift() ?? refuse(word);
      if (word === '-t') table = value;
      else if (word === '-A') chain = value;
      else found.push(...(options[word]?.(value, not) ?? refuse(word)));
      not = [];
    }
  }
  const to = chains[`${table} ${chain}`] ?? refuse(`${table} ${chain}`);
  return { chain: to.name, words: found };
}

/** Commands for nft, one a line, that make the table with those of its chains that some rules use. */
export function renderNftTable(rules: readonly NftRule[]): string {
  const used = new Set(rules.map(({ chain }) => chain));
  const made = Object.values(chains).filter(({ name }) => used.has(name));
  const add = made.map(
    ({ name, type, hook, priority }) =>
      `add chain ip ${nftTable} ${name} { type ${type} hook ${hook} priority ${priority}; policy accept; }`,
  );
  return [`add table ip ${nftTable}`, ...add].join('\n');
}
