import type {
  ConsumerOptions,
  ConsumerSettings,
  PlannedPart,
  RunningPart,
  ServicePart,
  ServicePartWorld,
} from '../../runtime/index.ts'
import { resolveConsumerOptions } from '../../runtime/index.ts'
import { MillraceError, OptionError } from '../../errors.ts'
import type { Route } from '../../observe/index.ts'
import { optionsOf, shown } from '../../option-checks.ts'
import { memoryStateStores } from '../../store/index.ts'
import type { StateStores } from '../../store/index.ts'
import type { Flow, ReadableTable, TableRow } from '../flow/flow.ts'
import type { FlowPlan } from '../flow/flow-plan.ts'
import type { RowChoice } from '../state/read-table.ts'
import type { FlowRun } from './flow-run.ts'
import { startFlow } from './flow-run.ts'
import { stateRoute } from './state-routes.ts'

/** How a flow runs. What is not named here is as for consumers. */
export interface StreamOptions extends Pick<
  ConsumerOptions,
  'groupId' | 'deadLetter' | 'commit' | 'drainMs' | 'group'
> {
  /** Where its state is kept beside the changelog: of this stream alone, which closes it. @defaultValue memory, of which a restart makes everything anew */
  readonly stores?: StateStores
  /**
   * Tables whose content the server of the service answers, to whoever reaches it, at `/state/<flow>/<table>`.
   * @defaultValue none
   */
  readonly serve?: readonly ReadableTable<unknown>[]
  /** As for consumers; a flow is always exactly once. */
  readonly exactlyOnce?: Exclude<ConsumerOptions['exactlyOnce'], boolean | undefined>
}

const optionNames = [
  ...['groupId', 'deadLetter', 'commit', 'drainMs', 'group', 'stores', 'serve', 'exactlyOnce'],
]

/**
 * A flow as a part of a service: joined by as many processes as there are partitions, exactly once, its state restored wherever it
 * goes on.
 *
 * - **declared** → **planned** (`service.add`) → **running** (`service.run`) → **closed**.
 */
export class Stream implements ServicePart {
  readonly label: string
  readonly routes: Readonly<Record<string, Route>>
  readonly #plan: FlowPlan
  readonly #options: StreamOptions
  readonly #stores: StateStores
  #settings: ConsumerSettings | undefined
  #run: FlowRun | undefined

  /** Use `createStream`. */
  constructor(plan: FlowPlan, options: StreamOptions) {
    const { stores, serve = [] } = optionsOf(options, 'createStream', optionNames) as StreamOptions
    if (stores !== undefined && typeof (stores as Partial<StateStores>).open !== 'function') {
      throw new OptionError(
        'createStream.stores',
        `(${shown(stores)}) must come from memoryStateStores or lmdbStateStores`,
      )
    }
    if (!Array.isArray(serve) || !serve.every((table) => isTableOf(table, plan))) {
      throw new OptionError('createStream.serve', `must be a list of tables of ${plan.name}`)
    }
    this.label = `stream ${plan.name}`
    this.routes = this.#routesOf(plan.name, serve)
    this.#plan = plan
    this.#options = options
    this.#stores = stores ?? memoryStateStores()
  }

  plan(serviceName: string): PlannedPart {
    if (this.#settings !== undefined)
      throw new OptionError('add', `(${this.label}) is part of a service already`)
    const { exactlyOnce = true, group = {}, groupId, deadLetter, commit, drainMs } = this.#options
    const contracts = [...new Set(this.#plan.inputs.map(({ topic }) => topic))]
    const from = {
      groupId: `${serviceName}-${this.#plan.name}`,
      topics: contracts.map(({ name }) => name),
    }
    // What shares tasks out is of this protocol.
    const classic = { groupProtocol: 'classic' as const, ...group }
    this.#settings = resolveConsumerOptions(
      {
        ...{ exactlyOnce, group: classic },
        ...(groupId !== undefined && { groupId }),
        ...(deadLetter !== undefined && { deadLetter }),
        ...(commit !== undefined && { commit }),
        ...(drainMs !== undefined && { drainMs }),
      },
      this.label,
      from,
    )
    return { settings: this.#settings, contracts, written: [...this.#plan.written] }
  }

  async start(world: ServicePartWorld): Promise<RunningPart> {
    this.#run = await startFlow({
      ...{ world, plan: this.#plan, stores: this.#stores },
      settings: this.#settings as ConsumerSettings,
    })
    return this.#run
  }

  /**
   * The results that tables hold here, by key and window: those of the tasks that run in this process.
   *
   * @example
   * for (const { window, value } of stream.rows(revenue)) console.log(window.start, value)
   */
  rows<Result>(table: ReadableTable<Result>, choice: RowChoice = {}): TableRow<Result>[] {
    return this.#running(table.plan).rows(table, choice)
  }

  /** The result of a key, or of its last window. Rejected where another process has the key: which partition is asked for is told. */
  get<Result>(table: ReadableTable<Result>, key: string): Result | undefined {
    return this.#running(table.plan).get(table, key)
  }

  #routesOf(name: string, tables: readonly ReadableTable<unknown>[]): Stream['routes'] {
    if (tables.length === 0) return {}
    const path = `/state/${encodeURIComponent(name)}/`
    return { [path]: stateRoute(path, tables, () => this.#run?.state) }
  }

  #running(plan: FlowPlan): FlowRun {
    if (plan !== this.#plan) throw new OptionError('table', 'is of another flow')
    if (this.#run !== undefined) return this.#run
    throw new MillraceError('MILLRACE_RUNTIME_STATE_INVALID', `${this.label} does not run yet`)
  }
}

function isTableOf(table: unknown, plan: FlowPlan): table is ReadableTable<unknown> {
  return (table as Partial<ReadableTable<unknown>> | undefined)?.plan === plan
}

/**
 * Makes a flow ready to be run by a service.
 *
 * @example
 * const stream = createStream(paid, { stores: lmdbStateStores({ path: './state' }) })
 * service.add(stream)
 * await service.run()
 */
export function createStream(
  flow: Flow<never> | { readonly plan: FlowPlan },
  options: StreamOptions = {},
): Stream {
  return new Stream(flow.plan, options)
}
