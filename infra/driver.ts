import type { DriverName, Endpoint, LabSpec, OpenSeat, Progress } from '@handwired/host';

/** What a driver knows of a lab without changing it. */
export interface DriverStatus {
  /** `broken`: half made, or some of its objects are gone; `stopped`: all there, not running. */
  state: 'up' | 'stopped' | 'broken' | 'absent';
  /** One line for the user: the domain's or the init process's name, or what is missing. */
  detail: string;
  /** Nothing is left of what ran there, nor of what the learner built: the next start needs a new baseline. */
  nothingLeft?: boolean;
  memoryMiB?: number;
  diskMiB?: number;
}

/** How long work is followed and stopped. */
export interface Work {
  progress: Progress;
  signal: AbortSignal;
  /**
   * Called by `up`, at most once, with the seat over which the lab host was found ready. On an emulated lab host each login
   * takes a second: this spares one.
   */
  whenReady?: (seat: OpenSeat) => Promise<void>;
}

/**
 * Makes a lab host come and go. Every call is idempotent and safe to repeat after a kill -9 at any moment. There is one call
 * at a time for a lab: the caller holds the lab's lock.
 */
export interface Driver {
  readonly name: DriverName;
  /** Makes the lab host, or goes on from what is half made. Returns when it answers over ssh and its start scripts ended. */
  up(spec: LabSpec, work: Work): Promise<Endpoint>;
  status(spec: LabSpec, signal: AbortSignal): Promise<DriverStatus>;
  /** Back to what `up` gave. The endpoint may be another afterwards. */
  reset(spec: LabSpec, work: Work): Promise<Endpoint>;
  /** Removes everything that carries the lab's instance id. Returns a line for each thing that was removed. */
  destroy(spec: LabSpec, work: Work): Promise<string[]>;
}
