import type { DriverName, Endpoint, LabSpec, OpenSeat, Progress } from '@handwired/host';

/** What a driver knows of a lab without changing it. */
export interface DriverStatus {
  /** `broken`: half made, or some of its objects are gone; `stopped`: all there, not running. */
  state: 'up' | 'stopped' | 'broken' | 'absent';
  /** One line for the user: the domain's or the init process's name, or what is missing. */
  detail: string;
  /** Of what ran there, and so of all that a learner built, nothing is left: a new start wants a new baseline. */
  nothingLeft?: boolean;
  memoryMiB?: number;
  diskMiB?: number;
}

export interface Work {
  progress: Progress;
  signal: AbortSignal;
  /** Called by `up`, at most once, with the seat that found the lab host ready: an emulated one takes a second a login. */
  whenReady?: (seat: OpenSeat) => Promise<void>;
}

/** Makes a lab host come and go. Every call is idempotent and safe to repeat after a kill -9 at any moment. */
export interface Driver {
  readonly name: DriverName;
  /** Returns when the lab host answers over ssh and its start scripts have ended. Goes on from what is half made. */
  up(spec: LabSpec, work: Work): Promise<Endpoint>;
  status(spec: LabSpec, signal: AbortSignal): Promise<DriverStatus>;
  /** Back to what `up` gave. The endpoint may be another afterwards. */
  reset(spec: LabSpec, work: Work): Promise<Endpoint>;
  /** Removes everything that carries the lab's instance id; a line for each thing removed. Nothing there: no lines. */
  destroy(spec: LabSpec, work: Work): Promise<string[]>;
}
