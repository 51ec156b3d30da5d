/** Long work uses this to report what it is doing. cli/stages.ts prints it. */
export interface Progress {
  /** Runs one named stage; the printer shows its title, its latest note and its elapsed time. Stages may nest. */
  stage<T>(title: string, work: (note: (text: string) => void) => Promise<T>): Promise<T>;
  /** One line for the user, outside any stage. */
  note(text: string): void;
}

/** Progress that nobody watches. */
export const silent: Progress = {
  stage: (_title, work) => work(() => undefined),
  note: () => undefined,
};
