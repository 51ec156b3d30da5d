import type { ChapterId, Conditions } from '@handwired/host';
import type { Command, Scene } from '../script.ts';

/** What a fault's commands are written with. */
type FaultScene = Pick<Scene, '$' | 'plan'>;

/** A breakage put in on purpose. The file's name is its id; registry.ts lists it. */
export interface Fault {
  /** Kebab case, unique. */
  id: string;
  /** The root cause in a short sentence, without this lab's values: it also stands among the choices of a learner. */
  title: string;
  /** 1 one look shows it, 2 it takes following the packet, 3 it misleads: such a one is met by its id or among several. */
  level: 1 | 2 | 3;
  /** The last chapter that must be built, and pass, for it to break anything. */
  needs: ChapterId;
  /** Only on a lab host that was made with these. */
  conditions?: Partial<Conditions>;
  /** Only where the lab host has a kernel of its own: what is set is one setting for all network namespaces. */
  machine?: 'vm';
  /** Ids of faults that can't be in place at once with it; said by one of the two. Those of one cause exclude each other. */
  excludes: readonly string[];
  /** Id of the checker's cause (checker/diagnosis) that must be named for it. */
  cause: string;
  /** Ids of checks that fail with it on a lab host that `lab build` built. */
  symptoms: readonly string[];
  /**
   * Commands in their order. Each has a `done`, true once the fault is in: where all of them are true before, there is
   * nothing here to take hold of. They look like a learner's own work: a rule is changed where it stands, without a mark;
   * a file keeps its time (`inject.ts` parts); nothing is written beside what is broken.
   */
  inject: (scene: FaultScene) => Command[];
  /** What mends it on a lab host that `lab build` built, as one would type it. */
  repair: (scene: FaultScene) => Command[];
  /** Why what is seen follows from it: a sentence or two. */
  tells: string;
  /** Words by which a learner's own text is known to mean its cause: all words of one entry, each as it begins. */
  words: readonly string[];
}
