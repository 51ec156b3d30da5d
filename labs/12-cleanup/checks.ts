import {
  type Case,
  type ChapterChecks,
  type ChapterCheck,
  type Difference,
  diffFacts,
  fail,
  findLeftovers,
  findOwner,
  giveBack,
  type Judgement,
  pass,
  type Subject,
  undoAll,
} from '@handwired/checker/checks';

const place = ({ scope }: Difference): string => (scope ? ` in ${scope}` : '');

function renderDifference(found: Difference, { plan, record }: Case): string {
  const was = found.was === null ? '' : ` (was: ${found.was})`;
  return `${findOwner(found, plan, record)}: ${found.text}${place(found)}${was}`;
}

function none(lab: Case, subject: Subject, wrong: (found: Difference[], lab: Case) => string | undefined): Judgement {
  const found = findLeftovers(lab.facts, lab.baseline).filter((difference) => difference.subject === subject);
  const expected = 'as in the baseline';
  if (found.length === 0) return pass({ expected, actual: 'so it is' });
  const actual = `${found.length} ${found.length === 1 ? 'difference' : 'differences'}`;
  const mend = undoAll(found, lab).join('\n') || undefined;
  const first = `${found[0]?.text ?? ''}${found.length > 1 ? ', and more' : ''} was not there before you.`;
  const hint = { where: whereToLook[subject], wrong: wrong(found, lab) ?? first, mend };
  return fail({ expected, actual, evidence: found.map((one) => renderDifference(one, lab)), hint });
}

function begun({ record }: Case): Judgement {
  const chapters = Object.keys(record.begun).filter((chapter) => chapter !== 'cleanup');
  const expected = 'something of yours was here before';
  if (chapters.length > 0) return pass({ expected, actual: `seen begun: ${chapters.join(', ')}` });
  return fail({
    expected,
    actual: 'nothing of yours was ever seen here',
    hint: { where: 'lab status', wrong: 'There is nothing to clean up yet: build first.' },
  });
}

function kept(lab: Case): Judgement {
  const gone = diffFacts(lab.baseline, lab.facts).filter(({ change }) => change === 'gone');
  const expected = 'all that was there before you is still there';
  if (gone.length === 0) return pass({ expected, actual: 'so it is' });
  return fail({
    expected,
    actual: `${gone.length} ${gone.length === 1 ? 'thing is' : 'things are'} gone`,
    evidence: gone.map((one) => `not yours: ${one.text}${place(one)}`),
    hint: {
      where: 'what was there before, and is not any more: lab diff',
      wrong: gone.some(({ subject }) => subject === 'rules')
        ? 'Flushing a table (-F, nft flush ruleset) takes the rules of others too: delete your own ones, one by one.'
        : `${gone[0]?.text ?? ''} was there before you, and was not yours to take.`,
      mend: giveBack(gone, lab).join('\n') || undefined,
    },
  });
}

/** Where each kind of leftover can be seen. */
const whereToLook: Record<Subject, string> = {
  namespaces: 'which namespaces there are: ip netns list; lsns -t net',
  links: 'links, addresses, routes and rules of routing: ip -br addr; ip route show table all; ip rule; bridge -d link',
  rules: 'the rules of every table: iptables-save; iptables-legacy-save; nft list ruleset',
  sysctls: "what a setting was when you came: lab diff; sysctl -a --pattern 'forward|localnet|bridge-nf'",
  files: 'the files of the network configuration: ls -lR /etc/netns; ls -l /etc/resolv.conf; lab diff',
  processes: 'who listens, and who is in a namespace: ss -ltnup; ip netns pids NAME; lsns -t net',
};

const hints: Partial<Record<Subject, (found: Difference[], lab: Case) => string | undefined>> = {
  links: (found, { facts }) => {
    const orphan = found.find(({ key }) => key.startsWith('link '));
    const held = facts.processes.find(({ netns, inode }) => netns === null && inode !== facts.world.inode);
    return orphan && held
      ? `ip netns del takes the name only: process ${held.pid} (${held.command.slice(0, 60)}) still holds the namespace, and with it the veth pair.`
      : undefined;
  },
  rules: () => 'Each -A needs its -D. iptables -S and iptables -t nat -S list what is left.',
  sysctls: (found) => {
    const forward = found.find(({ key }) => key === 'net/ipv4/ip_forward');
    return forward
      ? `It was ${forward.was ?? ''} before you came, and goes back to that: not every host has it at 0.`
      : undefined;
  },
};

const titles: Record<Subject, string> = {
  namespaces: 'No namespace of yours is left',
  links: 'No link, address or route of yours is left',
  rules: 'No firewall or NAT rule of yours is left',
  sysctls: 'Every kernel setting is back at its previous value',
  files: 'Every file of the network configuration is as it was',
  processes: 'No process or listening socket of yours is left',
};

/** The sources on which a subject's verdict depends. */
const sources: Record<Subject, string[]> = {
  namespaces: [],
  links: ['root ip', 'root addr', 'root route', 'root rule', 'root bridge'],
  rules: ['root nft', 'root iptables', 'root ip6tables'],
  sysctls: [],
  files: [],
  processes: ['root sockets'],
};

/** 12: the lab host is as it was before the learner, and nothing that belongs to others is missing. */
export const grading: ChapterChecks = {
  isBegun: () => false,
  checks: [
    {
      id: 'cleanup.begun',
      title: () => 'Something of yours was here to be cleaned up',
      needs: [],
      probes: [],
      judge: begun,
    },
    ...Object.entries(titles).map(
      ([subject, title]): ChapterCheck => ({
        id: `cleanup.${subject}`,
        title: () => title,
        needs: ['cleanup.begun'],
        probes: [],
        sources: sources[subject as Subject],
        judge: (lab) => none(lab, subject as Subject, hints[subject as Subject] ?? (() => undefined)),
      }),
    ),
    {
      id: 'cleanup.kept',
      title: () => 'What was there before you is still there',
      needs: ['cleanup.begun'],
      probes: [],
      sources: Object.values(sources).flat(),
      judge: kept,
    },
  ],
};
