export { chapters } from './chapters.ts';
export { type RecordedStep, record } from './record.ts';
export { build, type RunOptions, type StepEvent, undo, type Way } from './run.ts';
export type { Chapter, ChapterData, Command, StepText } from './script.ts';
