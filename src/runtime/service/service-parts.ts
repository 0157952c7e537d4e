import type { TopicContract } from '../../contract/index.ts'
import { OptionError } from '../../errors.ts'
import type { Route } from '../../observe/index.ts'
import type { PlannedPart, RunningPart, ServicePart, ServicePartWorld } from './service-part.ts'

interface Added {
  readonly part: ServicePart
  readonly plan: PlannedPart
}

/** What a service runs beside its consumers. */
export class ServiceParts {
  readonly #added: Added[] = []
  readonly #running: { readonly run: RunningPart; readonly drainMs: number }[] = []

  add(part: ServicePart, serviceName: string): void {
    this.#added.push({ part, plan: part.plan(serviceName) })
  }

  get planned(): readonly PlannedPart[] {
    return this.#added.map(({ plan }) => plan)
  }

  get written(): readonly TopicContract[] {
    return this.#added.flatMap(({ plan }) => plan.written)
  }

  /** What they serve, by path. */
  get routes(): Readonly<Record<string, Route>> {
    const routes = new Map<string, Route>()
    for (const { part } of this.#added) {
      for (const [path, route] of Object.entries(part.routes ?? {})) {
        if (routes.has(path)) throw new OptionError('add', `(${part.label}) serves ${path} too`)
        routes.set(path, route)
      }
    }
    return Object.fromEntries(routes)
  }

  /** How long what runs in them may take to end. */
  get drainMsMax(): number {
    return Math.max(0, ...this.#added.map(({ plan }) => plan.settings.drainMs))
  }

  /** Starts them; each is ready when it says nothing against it. What has started is closed also where another cannot. */
  async start(world: ServicePartWorld): Promise<readonly RunningPart[]> {
    const started = await Promise.allSettled(
      this.#added.map(async ({ part, plan }) => {
        const run = await part.start(world)
        const check = () => run.notReadyBecause
        world.health.add({ name: part.label, kind: 'ready', check })
        this.#running.push({ run, drainMs: plan.settings.drainMs })
        return run
      }),
    )
    return started.map((each) => {
      if (each.status === 'rejected') throw each.reason
      return each.value
    })
  }

  /** Answers whether everything had ended in time, and is committed. */
  async close(options: {
    readonly drainMs: number | undefined
    readonly leave: boolean
  }): Promise<boolean> {
    const closed = await Promise.all(
      this.#running.map(({ run, drainMs }) =>
        run.close({ drainMs: options.drainMs ?? drainMs, leave: options.leave }),
      ),
    )
    return closed.every((isClean) => isClean)
  }
}
