import { MillraceError } from '../../errors.ts'

/** A simulation that did not go as it must: what failed, and how to see it again. */
export class SimulationError extends MillraceError {
  constructor(message: string, options?: ErrorOptions) {
    super('MILLRACE_SIMULATION_FAILED', message, options)
  }
}
