import type { RealWork } from './real-work.ts'
import type { Scheduler } from './scheduler.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { SimulatedHost } from './host.ts'
import type { CallFaults, SimulatedProcess } from './process.ts'
import type { SimulatedNetwork } from './network.ts'
import type { Trace, TraceValue } from './trace.ts'

/** What all parts of a simulated world share. */
export interface World {
  readonly scheduler: Scheduler
  readonly trace: Trace
  readonly tracing: Tracing
  /** The root: parts take a stream of their own by `split`. */
  readonly random: SeededRandom
  readonly network: SimulatedNetwork
  readonly hosts: ReadonlyMap<string, SimulatedHost>
  readonly startTimeMs: number
  /** What processes do in the real world; undefined where nobody looks. */
  readonly realWork: RealWork | undefined
  callFaults: CallFaults
  /** Whose turn it is: what is thrown where nobody can catch it belongs to this process. */
  current: SimulatedProcess | undefined
  nextId(): number
  processFailed(process: SimulatedProcess): void
}

/** What of the bytes on a connection goes into the trace. */
export interface Tracing {
  /** Lengths of writes. To be switched off where bytes are compressed by a library. */
  readonly lengths: boolean
  /** Decodes what is written in one call, such as one frame of a protocol. Traced if not undefined. */
  readonly describe: ((write: TracedWrite) => TraceValue) | undefined
}

/** What one call of `Socket.write` sends. */
export interface TracedWrite {
  readonly from: string
  readonly to: string
  readonly port: number
  readonly isFromClient: boolean
  readonly chunks: readonly Uint8Array[]
}
