import { type Case, type ChapterChecks, fail, type FaultNote, type Judgement, pass } from '@handwired/checker/checks';

const expected = 'a fault whose root cause you named, and after which all passes again';

/** A fault counts when the learner named it and repaired it without having it revealed. */
const isFound = ({ right, repaired, revealed }: FaultNote): boolean => right && repaired && !revealed;

const counted = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;

const renderNote = (note: FaultNote): string => {
  const { level, count, revealed, right, repaired, attempts, hints, seconds } = note;
  const end = revealed
    ? 'given up'
    : isFound(note)
      ? 'found and repaired'
      : right
        ? 'named, not repaired'
        : repaired
          ? 'repaired, not named'
          : 'open';
  const cost = `${counted(attempts, 'answer')}, ${counted(hints, 'hint')}, ${counted(Math.round(seconds / 60), 'minute')}`;
  return `level ${level}, ${counted(count, 'fault')}: ${end} (${cost})`;
};

function found({ record }: Case): Judgement {
  const notes = record.faults ?? [];
  const best = notes.filter(isFound).sort((a, b) => b.level - a.level)[0];
  const evidence = notes.map(renderNote).slice(-20);
  if (best) return pass({ expected, actual: renderNote(best), evidence });
  return fail({
    expected,
    actual: notes.length === 0 ? 'no fault was ever put in' : (evidence.at(-1) ?? ''),
    evidence,
    hint: { where: notes.length === 0 ? 'lab fault inject' : 'lab check --through publish, then lab fault submit' },
  });
}

/** 11: the learner found a fault that was injected on purpose. */
export const grading: ChapterChecks = {
  isBegun: ({ record }) => (record.faults ?? []).length > 0,
  checks: [
    {
      id: 'troubleshoot.found',
      title: () => 'You found a fault and repaired it',
      needs: [],
      probes: [],
      judge: found,
    },
  ],
};
