import type { DriverName, Endpoint, LabSpec, OpenSeat, Progress } from '@handwired/host';

/** What a driver finds out about a lab without changing it. */
export interface DriverStatus {
  /** `broken`: half made, or some of its objects are missing. `stopped`: complete, but not running. */
  state: 'up' | 'stopped' | 'broken' | 'absent';
  /** One line for the user: the domain's or the init process's name, or what is missing. */
  detail: string;
  /** Nothing of the lab host and of the learner's work is left, so the next start needs a new baseline. */
  nothingLeft?: boolean;
  memoryMiB?: number;
  diskMiB?: number;
}

/** What carries the mark of one lab, as a driver finds it on this machine and on hypervisors, whatever state folders say. */
export interface Remains {
  driver: DriverName;
  /** Undefined: a private hypervisor without any lab. */
  lab: string | undefined;
  instance: string;
  /** The state folder of the command that made it; undefined when nothing tells it. */
  state: string | undefined;
  /** Another user, whose it is: what state folder has it can't be known, and it is not ours to remove. */
  user?: string;
  /** The lab can be reached from that state folder only, not from one to which the lab's files were moved. */
  isBound: boolean;
  /** One line for each thing: `process 12 with its namespaces`. Asked for lost labs only, as it takes time. */
  list: (signal: AbortSignal) => Promise<string[]>;
  /** Removes it all. Returns a line for each removed thing. Safe to repeat. */
  remove: (work: Work) => Promise<string[]>;
}

/** How a caller follows long work (`progress`) and stops it (`signal`). */
export interface Work {
  progress: Progress;
  signal: AbortSignal;
  /**
   * `up` calls this at most once, with the seat through which it found the lab host ready. This saves the caller a
   * login, which takes a second on an emulated lab host.
   */
  whenReady?: (seat: OpenSeat) => Promise<void>;
}

/**
 * Makes and removes lab hosts. Every call is idempotent and safe to repeat after a kill -9 at any moment. The caller
 * holds the lab's lock, so there is one call at a time for each lab.
 */
export interface Driver {
  readonly name: DriverName;
  /**
   * Throws LabError, before anything is made, when this machine can't give this user such a lab: a package is missing that
   * the user can't install, or the kernel refuses what only root may do.
   */
  requireMachine(spec: Pick<LabSpec, 'uri'>, work: Work): Promise<void>;
  /** Makes the lab host or completes a half made one. Returns when it answers over ssh and its start scripts ended. */
  up(spec: LabSpec, work: Work): Promise<Endpoint>;
  status(spec: LabSpec, signal: AbortSignal): Promise<DriverStatus>;
  /** Takes the lab host back to the state that `up` gave. The endpoint may change. */
  reset(spec: LabSpec, work: Work): Promise<Endpoint>;
  /** Removes everything that carries the lab's instance id. Returns one line for each removed thing. */
  destroy(spec: LabSpec, work: Work): Promise<string[]>;
  /** Finds whatever carries the mark of a lab, also of labs that are well. What we may not look at is left out. */
  find(signal: AbortSignal): Promise<Remains[]>;
}
