import type { TopicContract } from '../../contract/index.ts'
import type { Driver } from '../../driver/index.ts'
import type { Health, Log, Metrics, Route } from '../../observe/index.ts'
import type { Platform } from '../../platform/index.ts'
import type { ConsumerSettings } from '../assemble.ts'
import type { TopicFacts } from '../start/check-topics.ts'

/** What a part needs of the service that it runs in. */
export interface ServicePartWorld {
  readonly serviceName: string
  readonly driver: Driver
  readonly platform: Platform
  readonly log: Log
  readonly metrics: Metrics
  readonly health: Health
  /** Of this life of the process. */
  readonly processId: string
  readonly facts: TopicFacts
  /** Aborts when the service is stopped meanwhile. */
  readonly signal: AbortSignal
  /** Nothing more can be done: the service ends. */
  readonly failed: (error: Error) => void
}

/** What the start has to make sure of for a part, as for a consumer. */
export interface PlannedPart {
  readonly settings: ConsumerSettings
  /** Topics that it reads. */
  readonly contracts: readonly TopicContract[]
  /** Topics that it writes to. */
  readonly written: readonly TopicContract[]
}

/** A part that runs. */
export interface RunningPart {
  /** Works until it is closed; rejects with what nobody can mend here. */
  run(): Promise<void>
  /** Answers whether everything had ended by the deadline, five seconds after `drainMs`, and is committed. */
  close(options: { readonly drainMs: number; readonly leave: boolean }): Promise<boolean>
  /** Undefined when it does all its work. */
  readonly notReadyBecause: string | undefined
}

/** Something else than a consumer that a service runs: a flow of a stream. */
export interface ServicePart {
  /** For people. */
  readonly label: string
  /**
   * What the server of the service answers beside metrics and health, by path; one that ends with a slash takes what is below it.
   * @defaultValue nothing
   */
  readonly routes?: Readonly<Record<string, Route>>
  plan(serviceName: string): PlannedPart
  start(world: ServicePartWorld): Promise<RunningPart>
}
