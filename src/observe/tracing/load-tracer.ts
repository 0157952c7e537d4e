import { silentLog } from '../log.ts'
import type { Log } from '../log.ts'
import { tracerOf } from './open-telemetry-tracer.ts'
import type { Tracer } from './tracer.ts'

export interface LoadTracerOptions {
  readonly log?: Log
}

/**
 * A tracer for the SDK that the service has set up, if it has `@opentelemetry/api`; else one that only hands
 * contexts on. Loading takes real time: what runs in a simulation is given a tracer.
 *
 * Nothing here names a type of that package: who has not installed it could not compile.
 */
export function loadTracer({ log = silentLog }: LoadTracerOptions = {}): Promise<Tracer> {
  return tracerOf(() => import('@opentelemetry/api'), log)
}
