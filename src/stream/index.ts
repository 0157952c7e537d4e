export { join, JoinFlow, streamOf } from './flow/declare.ts'
export type {
  Joined,
  JoinOptions,
  JoinType,
  LeftOver,
  SourceFlowOptions,
  TimeOptions,
} from './flow/declare.ts'
export { Flow, Table } from './flow/flow.ts'
export type {
  FlowSendOptions,
  Occasion,
  ReadableTable,
  ReduceOptions,
  TableOptions,
  TableRow,
} from './flow/flow.ts'
export { FlowPlan } from './flow/flow-plan.ts'
export { hopping, session, tumbling } from './flow/windows.ts'
export type { TimeWindow, Windowing } from './operator/window.ts'
export { createStream, Stream } from './run/create-stream.ts'
export type { StreamOptions } from './run/create-stream.ts'
export { EventMaker } from './run/event-maker.ts'
export { flowLetter, letterTopicOf } from './run/flow-letter.ts'
export { readTable } from './state/read-table.ts'
export type { RowChoice } from './state/read-table.ts'
export { TaskState } from './state/task-state.ts'
export { StreamTask } from './task/stream-task.ts'
export { readTimeRecord, timeKey } from './task/time-journal.ts'
export type { TimeStep } from './task/time-journal.ts'
