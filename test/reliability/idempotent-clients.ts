/** Producers of the library that are idempotent, and a simulated world for them. */
import type { KafkaCluster } from '../../src/client/cluster/kafka-cluster.ts'
import { DeliveryError } from '../../src/client/producer/delivery-error.ts'
import { Producer } from '../../src/client/producer/producer.ts'
import type { ProducerOptions } from '../../src/client/producer/producer-options.ts'
import { RecordsDeliveryError } from '../../src/client/producer/records-delivery-error.ts'
import type {
  History,
  HistoryRecorder,
  RunningOperations,
  ScenarioResult,
  Simulation,
} from '../../src/testing/index.ts'
import { client, simulateBroker, simulated } from './broker-simulation.ts'
import { connectCluster } from './transactional-clients.ts'
import { Reader } from './readers.ts'

interface Workload {
  readonly cluster: KafkaCluster
  readonly history: HistoryRecorder
  readonly name: string
  readonly goesOn: () => boolean
}

interface Sending {
  readonly record: { topic: string; partition: number; value: string }
  readonly operation: RunningOperations['send']
}

const { topic, partitions, brokerHost, port, workMs } = simulated

/** Writes down what is certain of a record. */
function settle({ operation }: Sending, outcome: { offset: number } | { error: unknown }): void {
  if ('offset' in outcome) {
    operation.ok({ offset: outcome.offset < 0 ? undefined : outcome.offset })
    return
  }
  const { error } = outcome
  if (!(error instanceof DeliveryError)) throw error
  if (error.definitelyNotWritten) operation.failed(error)
  else operation.unknown(error)
}

/** One producer and its sends: single ones and arrays, some of them taken back, none waited for in turn. */
export class SendingClient {
  readonly #workload: Workload
  readonly #producer: Producer
  #number = 0
  readonly #open = new Set<Promise<void>>()

  constructor(workload: Workload, options: ProducerOptions) {
    this.#workload = workload
    this.#producer = new Producer(workload.cluster, options)
  }

  async run(): Promise<void> {
    const { cluster, goesOn } = this.#workload
    const { clock, random } = cluster.platform
    while (goesOn()) {
      const sent = random.integer(4) === 0 ? this.#sendMany() : this.#sendOne()
      this.#open.add(sent)
      void sent.finally(() => this.#open.delete(sent))
      if (random.integer(20) === 0) await this.#producer.flush()
      await clock.sleep(random.integer(60))
    }
    await Promise.all(this.#open)
    await this.#producer.close()
  }

  async #sendOne(): Promise<void> {
    const sending = this.#next()
    const abort = new AbortController()
    const { clock, random } = this.#workload.cluster.platform
    const isTakenBack = random.integer(15) === 0
    const timer = isTakenBack ? clock.setTimer(random.integer(30), () => abort.abort()) : undefined
    const { signal } = abort
    settle(
      sending,
      await this.#producer.send(sending.record, { signal }).catch((error: unknown) => ({ error })),
    )
    timer?.cancel()
  }

  async #sendMany(): Promise<void> {
    const count = 1 + this.#workload.cluster.platform.random.integer(8)
    const sendings = Array.from({ length: count }, () => this.#next())
    const outcomes = await this.#producer.send(sendings.map(({ record }) => record)).then(
      (results) => results,
      (error: unknown) => {
        if (error instanceof RecordsDeliveryError) return error.outcomes
        throw error
      },
    )
    for (const [index, outcome] of outcomes.toArray().entries()) {
      settle(sendings[index] as Sending, outcome)
    }
  }

  #next(): Sending {
    const { history, name, cluster } = this.#workload
    const partition = cluster.platform.random.integer(partitions)
    const value = `${name}-${this.#number++}`
    const operation = history.begin({ kind: 'send', process: name, topic, partition, value })
    return { record: { topic, partition, value }, operation }
  }
}

/** What tells the producers of the world apart: time for many retries or for few, and room for many or few. */
const kinds: Readonly<Record<string, ProducerOptions>> = {
  patient: { deliveryTimeoutMs: 60_000 },
  hasty: { deliveryTimeoutMs: 1_200, lingerMs: 0 },
  small: { deliveryTimeoutMs: 4_000, batchBytesMax: 256, bufferBytesMax: 3_000, lingerMs: 20 },
  compressing: { deliveryTimeoutMs: 10_000, compression: 'gzip', lingerMs: 50 },
}

/**
 * Idempotent producers on a broker to which everything happens. What was said of each record is held
 * against what readers see.
 */
export function simulateProducers(
  seed: number,
): Promise<ScenarioResult & { readonly history: History }> {
  const replay = (again: number) => `npm run simulate -- --producers --seed ${again}`
  return simulateBroker(seed, startProducers, replay, () => undefined)
}

function startProducers(simulation: Simulation, history: HistoryRecorder): void {
  const goesOn = () => simulation.nowMs < workMs
  for (const [kind, options] of Object.entries(kinds)) {
    client(simulation, `${kind}-producer`, async ({ platform }, name) => {
      const address = { platform, host: brokerHost, port, clientId: name }
      await using cluster = connectCluster(address)
      await new SendingClient({ cluster, history, name, goesOn }, options).run()
    })
  }
  for (let partition = 0; partition < partitions; partition++) {
    client(simulation, `reader-${partition}`, (session, name) =>
      new Reader({ name, session, history, topic, partitions: [partition], goesOn }).run(),
    )
  }
}
