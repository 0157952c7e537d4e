export type { DiskConditions, SimulatedDisk } from './disk.ts'
export type { FaultKind, FaultPlan } from './fault-injector.ts'
export type { SimulatedHost, StartOptions } from './host.ts'
export type { NetworkConditions } from './network-conditions.ts'
export type { PartitionOptions, SimulatedNetwork } from './network.ts'
export type {
  CallFault,
  CallFaults,
  ProcessState,
  Program,
  SeamCall,
  SimulatedProcess,
} from './process.ts'
export type { ScheduledEvent } from './scheduler.ts'
export { runScenario, type ScenarioOptions, type ScenarioResult } from './scenario.ts'
export { SeededRandom, type Range } from './seeded-random.ts'
export {
  createSimulation,
  type Simulation,
  type RunLimit,
  type SimulationOptions,
  type TraceOptions,
} from './simulation.ts'
export { SimulationError } from './simulation-error.ts'
export type { TraceValue } from './trace.ts'
export type { TracedWrite } from './world.ts'
