import {
  type CaptureFacts,
  type Case,
  type ChapterChecks,
  fail,
  type Handshake,
  isBlind,
  type Judgement,
  pass,
  type ProbeId,
  type Sight,
  findSights,
  worldIsDown,
} from '@handwired/checker/checks';
import { type Plan, world } from '@handwired/host';

/** One connection from outside, as a learner's captures show it. A part is undefined when no capture has it. */
interface Flow {
  /** The SYN at the uplink, before it is translated. */
  asked: Handshake;
  /** The same SYN into ct1: a translation keeps its number. */
  arrived: Handshake | undefined;
  answered: Handshake | undefined;
  /** The answer as it leaves by the uplink. */
  left: Handshake | undefined;
  /** Whether the world's log has this connection; null when the world has no log. */
  known: boolean | null;
}

const next = (sequence: number): number => (sequence + 1) % 2 ** 32;

function flowsIn({ facts, plan }: Case): Flow[] {
  const { uplink } = world;
  const all = (facts.captures ?? []).flatMap(({ handshakes }) => handshakes);
  const asked = all.filter((one) => !one.answer && one.target === uplink.address && one.targetPort === plan.hostPort);
  return asked.map((syn) => {
    const answers = all.filter((one) => one.answer && one.acknowledgement === next(syn.sequence));
    const knocks = facts.world.knocks ?? null;
    return {
      asked: syn,
      arrived: all.find(
        (one) =>
          !one.answer &&
          one.sequence === syn.sequence &&
          one.target === plan.ct1.address &&
          one.targetPort === plan.containerPort,
      ),
      answered: answers.find((one) => one.source === plan.ct1.address && one.sourcePort === plan.containerPort),
      left: answers.find((one) => one.source === uplink.address && one.sourcePort === plan.hostPort),
      known:
        knocks?.some(
          ({ source, sourcePort, targetPort }) =>
            source === syn.source && sourcePort === syn.sourcePort && targetPort === plan.hostPort,
        ) ?? null,
    };
  });
}

/** The parts that a flow lacks, in the order of the packet's path. */
function lacks({ arrived, answered, left, known }: Flow, { ct1, containerPort, hostPort }: Plan): string[] {
  const inside = `${ct1.address}:${containerPort}`;
  return [
    ...(arrived ? [] : [`the same SYN on its way into ${ct1.name}, to ${inside}`]),
    ...(answered ? [] : [`the SYN-ACK that ${inside} answers`]),
    ...(left ? [] : [`that SYN-ACK as it leaves by the uplink, from ${world.uplink.address}:${hostPort}`]),
    ...(known === false ? ["a knock that the world's log knows of"] : []),
  ];
}

/** Whether some connection opens towards ct1's server. */
const reaches = ({ facts, plan }: Case): boolean =>
  (facts.captures ?? []).some(({ handshakes }) =>
    handshakes.some(
      ({ answer, target, targetPort }) => !answer && target === plan.ct1.address && targetPort === plan.containerPort,
    ),
  );

const anotherConnection = ({ ct1 }: Plan): string =>
  `What they have on the way into ${ct1.name} has other sequence numbers: it is another request, or a proxy's own connection, which no rule translated.`;

const end = (address: string, port: number): string => `${address}:${port}`;
const renderHandshake = ({ source, sourcePort, target, targetPort }: Handshake): string =>
  `${end(source, sourcePort)} > ${end(target, targetPort)}`;

const file = ({ path, packets, handshakes, problem }: CaptureFacts): string =>
  `${path}: ${packets} packets, ${handshakes.length} of them SYN or SYN-ACK${problem === null ? '' : `; ${problem}`}`;

/** Commands that make such a capture. */
const mend = ({ ct1, inner, hostPort, containerPort }: Plan): string =>
  [
    'mkdir -p /root/captures',
    `tcpdump --immediate-mode -Uni ${world.uplink.name} -w /root/captures/uplink.pcap tcp port ${hostPort} & one=$!`,
    `ip netns exec ${ct1.name} tcpdump --immediate-mode -Uni ${inner} -w /root/captures/ct1.pcap tcp port ${containerPort} & two=$!`,
    `sleep 1; curl http://${world.site.name}/knock/${hostPort}; sleep 1; kill $one $two`,
  ].join('\n');

function captured(lab: Case): Judgement {
  const { facts, plan } = lab;
  const { name } = plan.ct1;
  const expected = `in /root/captures a knock's SYN and its answer, at the uplink and on the way into ${name}`;
  const files = facts.captures ?? [];
  const evidence = files.map(file);
  const where = 'what your captures hold: ls -l /root/captures; for f in /root/captures/*; do tcpdump -nr $f; done';
  const short = (actual: string, wrong: string): Judgement =>
    fail({ expected, actual, evidence, hint: { where, wrong, mend: mend(plan) } });
  if (files.length === 0) {
    const where = `what passes at two places while somebody outside knocks: curl http://${world.site.name}/knock/${plan.hostPort}`;
    const wrong = 'There is no capture file (*.pcap, *.pcapng) in /root/captures.';
    return fail({ expected, actual: 'no capture file', hint: { where, wrong, mend: mend(plan) } });
  }
  const flows = flowsIn(lab).sort((a, b) => lacks(a, plan).length - lacks(b, plan).length);
  const [best] = flows;
  if (!best) {
    const asked = `SYN to ${end(world.uplink.address, plan.hostPort)}`;
    return short(`no ${asked}`, `None of your captures holds a ${asked}: the packet before it is translated.`);
  }
  const missing = lacks(best, plan);
  if (missing.length > 0) {
    const another = best.arrived === undefined && reaches(lab) ? ` ${anotherConnection(plan)}` : '';
    const wrong = `Of ${renderHandshake(best.asked)} your captures lack ${missing.join(', and ')}.${another}`;
    return short(`missing: ${missing.join('; ')}`, wrong);
  }
  const { asked, arrived, answered, left, known } = best;
  const parts = [asked, arrived, answered, left].flatMap((part) => (part ? [renderHandshake(part)] : []));
  const log = known === null ? 'the world has no log to compare it with' : "the world's log knows this knock";
  return pass({ expected, actual: parts.join('; '), evidence: [...evidence, log] });
}

/** A question: which packet is observed, and where. */
interface Question {
  key: string;
  probe: ProbeId;
  what: readonly Sight['what'][];
  where: (plan: Plan) => Pick<Sight, 'in' | 'device'>;
  /** Which of the packet's two ports is the same in every connection. */
  fixed: 'source' | 'target';
}

const opens = ['syn', 'request'] as const;
const atUplink = (): Pick<Sight, 'in' | 'device'> => ({ in: 'root', device: world.uplink.name });
const atBridge = ({ bridge }: Plan) => ({ in: 'root', device: bridge });
const atCt1 = ({ ct1, inner }: Plan) => ({ in: ct1.name, device: inner });

/** `in`: somebody outside asks the published port; `back`: the answer; `out`: ct1 asks example.com. */
export const questions: readonly Question[] = [
  { key: 'in-uplink', probe: 'outside>uplink', what: opens, where: atUplink, fixed: 'target' },
  { key: 'in-bridge', probe: 'outside>uplink', what: opens, where: atBridge, fixed: 'target' },
  { key: 'in-ct1', probe: 'outside>uplink', what: opens, where: atCt1, fixed: 'target' },
  { key: 'back-ct1', probe: 'outside>uplink', what: ['syn-ack', 'reply'], where: atCt1, fixed: 'source' },
  { key: 'back-bridge', probe: 'outside>uplink', what: ['syn-ack', 'reply'], where: atBridge, fixed: 'source' },
  { key: 'back-uplink', probe: 'outside>uplink', what: ['syn-ack', 'reply'], where: atUplink, fixed: 'source' },
  { key: 'out-ct1', probe: 'ct1>site', what: opens, where: atCt1, fixed: 'target' },
  { key: 'out-bridge', probe: 'ct1>site', what: opens, where: atBridge, fixed: 'target' },
  { key: 'out-uplink', probe: 'ct1>site', what: opens, where: atUplink, fixed: 'target' },
];

type Ends = Pick<Sight, 'source' | 'sourcePort' | 'target' | 'targetPort'>;

/** `A > B`, ports with a colon or, as tcpdump prints them, a dot; without a port: 0. */
function renderEnds(text: string): Ends | undefined {
  const [from, to, ...more] = [...text.matchAll(/(?<![\d.])(\d{1,3}(?:\.\d{1,3}){3})(?:[.:](\d{1,5}))?(?![\d.]*\d)/g)];
  if (!from || !to || more.length > 0) return undefined;
  const [source = '', target = ''] = [from[1], to[1]];
  return { source, sourcePort: Number(from[2] ?? 0), target, targetPort: Number(to[2] ?? 0) };
}

/** Both addresses, and the port that does not change from one connection to the next, if it is given. */
function isRight(given: Ends | undefined, seen: Sight, fixed: Question['fixed']): boolean {
  if (!given || given.source !== seen.source || given.target !== seen.target) return false;
  const port = fixed === 'source' ? given.sourcePort : given.targetPort;
  return port === 0 || port === (fixed === 'source' ? seen.sourcePort : seen.targetPort);
}

function answered(lab: Case): Judgement {
  const { facts, evidence, plan } = lab;
  const expected = 'which source and destination a packet has at each place, in, back and out';
  if (worldIsDown(evidence)) return { verdict: 'error', expected, reason: 'the world does not answer even itself' };
  const lines = facts.answers?.find(({ chapter }) => chapter === 'observe')?.lines ?? [];
  const said = new Map(lines.map(({ key, value }) => [key, value]));
  const marks = questions.map((question) => {
    const [seen] = question.what.flatMap((what) =>
      findSights(evidence, question.probe, { ...question.where(plan), what }),
    );
    const given = said.get(question.key);
    return {
      key: question.key,
      seen,
      given,
      right: seen !== undefined && isRight(renderEnds(given ?? ''), seen, question.fixed),
    };
  });
  const unseen = marks.find(({ seen }) => seen === undefined);
  if (unseen) {
    const reason = `no packet of our own was seen for ${unseen.key}`;
    const lost = ['root', plan.ct1.name].some((where) => isBlind(evidence, where));
    if (lost) return { verdict: 'error', expected, reason };
    return fail({
      expected,
      actual: reason,
      hint: { where: 'lab trace outside host --port PORT; lab trace ct1 internet --port 80' },
    });
  }
  const wrong = marks.filter(({ right }) => !right);
  const lineOf = ({ key, given }: (typeof marks)[number]): string =>
    given === undefined ? `${key}: no answer` : `${key}: not '${given}'`;
  if (wrong.length === 0) return pass({ expected, actual: `${marks.length} of ${marks.length} right` });
  return fail({
    expected,
    actual: `${marks.length - wrong.length} of ${marks.length} right`,
    evidence: wrong.map(lineOf),
    hint: {
      where:
        'the packet itself at that place; /root/answers/observe.txt has a line for each question, as in-uplink: SOURCE > DESTINATION',
      wrong:
        'The destination of what comes in is translated before it is routed, the source of what goes out after that; an answer is translated back where it leaves.',
    },
  });
}

/** 09: the packets that a learner observed on their path. */
export const grading: ChapterChecks = {
  isBegun: ({ facts }) =>
    facts.answers?.some(({ chapter }) => chapter === 'observe') === true || (facts.captures ?? []).length > 0,
  checks: [
    {
      id: 'observe.capture',
      title: ({ ct1 }) =>
        `Your captures hold a request from outside before and after its translation, and ${ct1.name}'s answer`,
      needs: [],
      probes: [],
      judge: captured,
    },
    {
      id: 'observe.answers',
      title: () => 'You know which addresses a packet has at each place',
      needs: ['publish.outside', 'egress.ct1'],
      probes: ['world>site', 'outside>uplink', 'ct1>site'],
      judge: answered,
    },
  ],
};
