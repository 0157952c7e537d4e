import { silentLog } from '../log.ts'
import type { Log } from '../log.ts'
import { OpenTelemetryTracer } from './open-telemetry-tracer.ts'
import type { OpenTelemetryApi } from './open-telemetry-tracer.ts'
import { passThroughTracer } from './pass-through-tracer.ts'
import type { Tracer } from './tracer.ts'

export interface LoadTracerOptions {
  readonly log?: Log
}

/**
 * A tracer for the SDK that the service has set up, if it has `@opentelemetry/api`; else one that only hands
 * contexts on. Loading takes real time: what runs in a simulation is given a tracer.
 */
export function loadTracer({ log = silentLog }: LoadTracerOptions = {}): Promise<Tracer> {
  return tracerOf(() => import('@opentelemetry/api'), log)
}

/** The tracer for what `load` answers. */
export async function tracerOf(load: () => Promise<OpenTelemetryApi>, log: Log): Promise<Tracer> {
  try {
    return new OpenTelemetryTracer(await load())
  } catch (error) {
    if (!isAbsent(error)) {
      log('warn', 'there are no spans: @opentelemetry/api is installed, but cannot be used', {
        error: error instanceof Error ? error.message : String(error),
      })
    }
    return passThroughTracer
  }
}

/** Whether it is the package itself that is not installed, and not something that it needs. */
function isAbsent(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes("'@opentelemetry/api'")
}
