import { initProducerIdApi } from '../../protocol/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { checkKafkaCode } from '../client-error.ts'
import { retry } from '../retry.ts'
import type { FailedBatch, IdentitySource, ProducerIdentity } from './producer-identity.ts'

const epochMax = 32_767
const transactionTimeoutMsMax = 2 ** 31 - 1

/**
 * The identity of a producer that is idempotent, and not transactional.
 *
 * It has **none** until a broker was asked for one, which `ready` does; then it is **current** until a batch
 * fails under it. Then it is renewed on the spot: the next epoch belongs to us as well, and what may still
 * arrive of the old one is refused by a leader that has seen the new one (KIP-360). After the last epoch it
 * has none again, and asks for another producer id.
 */
export class IdempotentIdentity implements IdentitySource {
  readonly transactionalId = undefined
  readonly produceVersionMax = undefined
  readonly #cluster: Cluster
  readonly #closing = new AbortController()
  #current: ProducerIdentity | undefined
  #asking: Promise<void> | undefined

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  get current(): ProducerIdentity | undefined {
    return this.#current
  }

  ready(): Promise<void> {
    if (this.#current !== undefined) return Promise.resolve()
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  admit(): undefined {
    return undefined
  }

  batchFailed({ topic, partition, identity, error }: FailedBatch): 'renewed' {
    const current = this.#current
    // Other partitions may still work off an identity that was renewed before.
    const isCurrent =
      current?.producerId === identity.producerId &&
      current.producerEpoch === identity.producerEpoch
    if (!isCurrent) return 'renewed'
    const { producerId, producerEpoch } = current
    this.#current =
      producerEpoch < epochMax ? { producerId, producerEpoch: producerEpoch + 1 } : undefined
    this.#cluster.log('warn', 'the producer continues with another epoch', {
      ...{ topic, partition, producerId, producerEpoch },
      because: error.message,
    })
    return 'renewed'
  }

  close(): void {
    this.#closing.abort(new Error('the producer is closed'))
  }

  async #ask(): Promise<void> {
    const what = 'producer id'
    const { signal } = this.#closing
    await retry(this.#cluster, { what, timeoutMs: Infinity, signal }, async () => {
      const broker = await this.#cluster.anyBroker()
      const response = await broker.request(initProducerIdApi, {
        transactionalId: null,
        transactionTimeoutMs: transactionTimeoutMsMax,
      })
      checkKafkaCode(response.errorCode, what)
      const { producerId, producerEpoch } = response
      this.#current = { producerId, producerEpoch }
    })
  }
}
