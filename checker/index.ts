export type { HintLevel } from './queries/check.ts';
export type { Facts } from './facts/facts.ts';
export { type Difference, diffFacts } from './facts/diff.ts';
export { observeFacts } from './facts/observe.ts';
export { loadFacts, saveFacts } from './facts/observe.ts';
export { gradeSource, type GradeOptions } from './grading/grade.ts';
export { listCauses } from './diagnosis/diagnose.ts';
export { compareLab } from './compare/compare.ts';
export { renderComparison, renderComparisonJson } from './compare/compare.ts';
export { emptyRecord, type FaultNote, loadRecord, noteBegun, noteFault, LabRecord, saveRecord } from './record.ts';
export {
  isWhole,
  mostBytes,
  readRecording,
  recordLab,
  Recording,
  regradeRecording,
  renderRecording,
} from './grading/recording.ts';
export { sumPoints } from './report/report.ts';
export { renderCsvTable } from './report/escape.ts';
export { type FormatName, formats, renderReport } from './report/formats.ts';
export { Report } from './report/report.ts';
export { schemas } from './schemas.ts';
export { listChanges } from './report/facts.ts';
export { renderChanges, renderChangesJson } from './report/facts.ts';
export { renderFacts } from './report/facts.ts';
export type { Selection } from './grading/grade.ts';
export { type Source, takeFacts } from './grading/grade.ts';
export { renderMoves } from './report/formats.ts';
export { watchLab, type Watcher } from './packets/watch.ts';
export { traceLab } from './packets/trace.ts';
export { renderTrace, renderTraceJson } from './packets/render.ts';
export { showJson, showLab } from './show/topology.ts';
export { capturePackets, parsePlace } from './packets/capture.ts';
export { pcapngHead, pcapngPacket } from './packets/capture.ts';
export { renderRow, renderRowJson } from './packets/render.ts';
