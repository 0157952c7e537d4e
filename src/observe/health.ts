import { OptionError } from '../errors.ts'
import type { Clock } from '../platform/index.ts'
import { silentLog } from './log.ts'
import type { Log } from './log.ts'

/** Undefined when all is well, else why not, in words that may be shown to anybody who asks. */
export type CheckResult = string | undefined

/**
 * `live`: whether the process should go on; a failure asks for it to be started again. `ready`: whether it does its
 * work now.
 */
export type HealthKind = 'live' | 'ready'

export interface HealthCheck {
  /** What is checked, such as `assigned` or `billing: outage`. */
  readonly name: string
  readonly kind: HealthKind
  readonly check: () => CheckResult | Promise<CheckResult>
}

/** What became of a check. */
export interface CheckReport {
  readonly ok: boolean
  /** Why it failed. */
  readonly reason?: string
}

/** What became of all checks of a kind, by name. */
export interface HealthReport {
  readonly status: 'ok' | 'failed'
  readonly checks: Readonly<Record<string, CheckReport>>
}

export interface HealthOptions {
  readonly clock: Pick<Clock, 'setTimer'>
  /**
   * A check that takes longer has failed.
   * @defaultValue 5000
   */
  readonly checkTimeoutMs?: number
  /** Told what a check threw: its message may hold what nobody should see over HTTP. */
  readonly log?: Log
}

/** The named checks of a service. */
export interface Health {
  /** Answers a function that takes the check away again. */
  add(check: HealthCheck): () => void
  /** Runs the checks. Ready also takes what live does: a process that should end does no work. */
  report(kind: HealthKind): HealthReport | Promise<HealthReport>
}

/** Checks that say whether a service is alive and ready. */
export function createHealth(options: HealthOptions): Health {
  return new Checks(options)
}

type Outcome = readonly [name: string, result: CheckResult]

class Checks implements Health {
  readonly #clock: Pick<Clock, 'setTimer'>
  readonly #checkTimeoutMs: number
  readonly #log: Log
  readonly #checks = new Map<string, HealthCheck>()

  constructor({ clock, checkTimeoutMs = 5_000, log = silentLog }: HealthOptions) {
    this.#clock = clock
    this.#checkTimeoutMs = checkTimeoutMs
    this.#log = log
  }

  add(check: HealthCheck): () => void {
    const { name } = check
    if (this.#checks.has(name)) {
      throw new OptionError('health.name', `('${name}') is the name of another check already`)
    }
    this.#checks.set(name, check)
    return () => {
      if (this.#checks.get(name) === check) this.#checks.delete(name)
    }
  }

  report(kind: HealthKind): HealthReport | Promise<HealthReport> {
    const known: Outcome[] = []
    const awaited: Promise<Outcome>[] = []
    for (const check of this.#checks.values()) {
      if (kind === 'live' && check.kind === 'ready') continue
      const outcome = this.#run(check)
      if (outcome instanceof Promise) awaited.push(outcome)
      else known.push(outcome)
    }
    // At once where nothing has to be waited for: one who has asked and hung up half is answered too.
    if (awaited.length === 0) return reportOf(known)
    return Promise.all(awaited).then((outcomes) => reportOf([...known, ...outcomes]))
  }

  #run({ name, check }: HealthCheck): Outcome | Promise<Outcome> {
    try {
      const result = check()
      return result instanceof Promise ? this.#within(name, result) : [name, result]
    } catch (error) {
      return [name, this.#thrown(name, error)]
    }
  }

  #within(name: string, result: Promise<CheckResult>): Promise<Outcome> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(this.#checkTimeoutMs, () => {
        resolve([name, `no answer within ${this.#checkTimeoutMs} ms`])
      })
      void result
        .catch((error: unknown) => this.#thrown(name, error))
        .then((settled) => {
          timer.cancel()
          resolve([name, settled])
        })
    })
  }

  #thrown(name: string, error: unknown): string {
    this.#log('warn', 'a health check threw an error', {
      check: name,
      error: error instanceof Error ? error.message : String(error),
    })
    return 'the check itself failed: the log says why'
  }
}

function reportOf(outcomes: readonly Outcome[]): HealthReport {
  const checks = outcomes.map(([name, reason]): [string, CheckReport] => [
    name,
    reason === undefined ? { ok: true } : { ok: false, reason },
  ])
  const isWell = checks.every(([, { ok }]) => ok)
  return { status: isWell ? 'ok' : 'failed', checks: Object.fromEntries(checks) }
}
