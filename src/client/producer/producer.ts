import type { Cluster } from '../cluster/cluster.ts'
import { IdempotentIdentity } from './idempotent-identity.ts'
import type { ProducerOptions } from './producer-options.ts'
import { resolveProducerOptions } from './producer-options.ts'
import type { ProducerRecord } from './producer-record.ts'
import type { RecordResult, RecordResults } from './record-results.ts'
import { RecordSender } from './record-sender.ts'
import type { SendOptions } from './record-sender.ts'

/**
 * Writes records to topics.
 *
 * @example
 * await using producer = client.producer()
 * const { partition, offset } = await producer.send({ topic: 'orders', key: 'o-1', value: '{}' })
 * await producer.send(orders.map((order) => ({ topic: 'orders', value: JSON.stringify(order) })))
 */
export class Producer implements AsyncDisposable {
  readonly #sender: RecordSender
  readonly #identity: IdempotentIdentity | undefined

  constructor(cluster: Cluster, options: ProducerOptions = {}) {
    const resolved = resolveProducerOptions(options)
    this.#identity = resolved.idempotent ? new IdempotentIdentity(cluster) : undefined
    this.#sender = new RecordSender(cluster, this.#identity, resolved)
  }

  /**
   * Sends one record; resolves with where it was written. Rejects with a `DeliveryError`, which says whether
   * it can have been written.
   */
  send(record: ProducerRecord, options?: SendOptions): Promise<RecordResult>
  /**
   * Sends any number of records to any topics; resolves with where they were written, in their order. When
   * some were not acknowledged it rejects with a `RecordsDeliveryError`, which has the outcome of each.
   */
  send(records: readonly ProducerRecord[], options?: SendOptions): Promise<RecordResults>
  send(
    records: ProducerRecord | readonly ProducerRecord[],
    options?: SendOptions,
  ): Promise<RecordResult | RecordResults> {
    return isList(records)
      ? this.#sender.sendAll(records, options)
      : this.#sender.send(records, options)
  }

  /** The memory that records take which are not settled yet; at most `bufferBytesMax`. */
  get bufferedBytes(): number {
    return this.#sender.bufferedBytes
  }

  /** Resolves when every record that was sent before is settled, whatever became of it. */
  flush(): Promise<void> {
    return this.#sender.flush()
  }

  /**
   * Takes no more records, settles those that it has, and lets go of everything. After `timeoutMs` what is
   * left fails: what was in no request is certainly not written.
   */
  async close(options?: { readonly timeoutMs?: number }): Promise<void> {
    await this.#sender.close(options)
    this.#identity?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function isList(
  records: ProducerRecord | readonly ProducerRecord[],
): records is readonly ProducerRecord[] {
  return Array.isArray(records)
}
