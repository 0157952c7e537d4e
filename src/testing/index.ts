export { ControlledClock } from './controlled-clock.ts'
export { errorAnswer } from './error-answer.ts'
export type { ErrorPlace } from './error-answer.ts'
export type { StoredBatch, StoredEvent } from './read-partition.ts'
export { closeConnection, startBroker, TestBroker } from './test-broker.ts'
export type { ApiName, TestBrokerOptions } from './test-broker.ts'
export { WireClient } from './wire-client.ts'

// The world for the test of a service.
export { startWorld, TestWorld } from './world/test-world.ts'
export type { QuietOptions } from './world/test-world.ts'
export type { TestWorldOptions, WorldService } from './world/world-options.ts'
export type {
  ServiceEnvironment,
  ServiceMaker,
  ServiceProgram,
  WorldLogEntry,
} from './world/world-worker.ts'
export type { PlainTopic } from './world/world-broker.ts'
export { WorldFaults } from './world/faults.ts'
export type { AnswerChoice, Fault } from './world/faults.ts'
export type { GroupProgress } from './world/group-survey.ts'
export type { HandlerRun } from './world/handler-runs.ts'
export { NotQuietError } from './world/quiet.ts'
export type { Unquiet } from './world/quiet.ts'
export type { DeadLetter, WorldRecord } from './world/world-records.ts'

// A flow of a stream without a broker.
export { driveFlow, FlowDriver } from './flow/flow-driver.ts'
export type { FlowDriverOptions, FlowLetter, PipedRecord, PipeOptions } from './flow/flow-driver.ts'

// The history of what clients did, and its judge.
export { checkHistory, assertHistory } from './history/check.ts'
export type { CheckOptions } from './history/check.ts'
export { recordHistory, recordHistoryLines } from './history/record.ts'
export type {
  HistoryRecorder,
  InstantKind,
  RecordLinesOptions,
  RecordOptions,
  RunningOperation,
  RunningOperations,
  RunningTransaction,
  TransactionalSend,
} from './history/record.ts'
export { historyLines, readHistory } from './history/json-lines.ts'
export { mergeHistories } from './history/merge.ts'
export { HistoryViolationError, formatReport } from './history/report.ts'
export type { HistoryFigures, HistoryReport, RealtimeLag } from './history/report.ts'
export { anomalies } from './history/anomaly.ts'
export type { Anomaly, Invariant } from './history/anomaly.ts'
export type { Finding } from './history/findings.ts'
export type { Story } from './history/narrator.ts'
export type {
  BeginEvent,
  EndEvent,
  EndedAs,
  History,
  HistoryEvent,
  OperationKind,
  OperationKinds,
  OperationStart,
  Outcome,
  PolledPartition,
  PolledRecord,
  StepEvent,
  TopicPartition,
  TopicPartitionOffset,
  Value,
} from './history/operation.ts'

// The simulated world.
export type { DiskConditions, SimulatedDisk } from './simulation/disk.ts'
export type { FaultKind, FaultPlan } from './simulation/fault-injector.ts'
export type { SimulatedHost, StartOptions } from './simulation/host.ts'
export type { NetworkConditions } from './simulation/network-conditions.ts'
export type { PartitionOptions, SimulatedNetwork } from './simulation/network.ts'
export type {
  CallFault,
  CallFaults,
  ProcessState,
  Program,
  SeamCall,
  SimulatedProcess,
} from './simulation/process.ts'
export type { ScheduledEvent } from './simulation/scheduler.ts'
export { runScenario, type ScenarioOptions, type ScenarioResult } from './simulation/scenario.ts'
export { SeededRandom, type Range } from './simulation/seeded-random.ts'
export {
  createSimulation,
  type RealWorkOptions,
  type Simulation,
  type RunLimit,
  type SimulationOptions,
  type TraceOptions,
} from './simulation/simulation.ts'
export { SimulationError } from './simulation/simulation-error.ts'
export type { TraceValue } from './simulation/trace.ts'
export type { TracedWrite } from './simulation/world.ts'
