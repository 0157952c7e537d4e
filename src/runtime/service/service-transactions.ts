import type { ProducerRecord } from '../../client/index.ts'
import type { DataOf, EventContract } from '../../contract/index.ts'
import { RenewedSink } from '../../driver/index.ts'
import type { Driver, SinkTransaction } from '../../driver/index.ts'
import type { PublishOptions } from './handler-context.ts'
import type { Publisher } from './publisher.ts'

/** What is sent in it counts together, or not at all. */
export class ServiceTransaction {
  readonly #transaction: SinkTransaction
  readonly #publisher: Publisher

  /** Use `service.transaction`. */
  constructor(transaction: SinkTransaction, publisher: Publisher) {
    this.#transaction = transaction
    this.#publisher = publisher
  }

  /** Sends an event; resolves when it is written, which readers of committed records see after the commit. */
  async send<Contract extends EventContract>(
    event: Contract,
    data: DataOf<Contract>,
    options?: PublishOptions,
  ): Promise<void> {
    const record = await this.#publisher.prepare(event, data, options, undefined)
    await this.#transaction.send([record])
  }

  /** Sends a record as it is. */
  async sendRecord(record: ProducerRecord): Promise<void> {
    await this.#transaction.send([record])
  }
}

/** Transactions of a service that belong to no record, one after another. */
export class ServiceTransactions {
  readonly #sink: RenewedSink
  #last: Promise<unknown> = Promise.resolve()

  constructor(driver: Pick<Driver, 'transactionalSink'>, transactionalId: string) {
    this.#sink = new RenewedSink(() => driver.transactionalSink({ transactionalId }))
  }

  run<Result>(
    publisher: Publisher,
    work: (transaction: ServiceTransaction) => Promise<Result>,
  ): Promise<Result> {
    const run = this.#last.then(() =>
      this.#sink.transaction((transaction) => work(new ServiceTransaction(transaction, publisher))),
    )
    this.#last = run.catch(() => undefined)
    return run
  }

  async close(options: { readonly timeoutMs: number }): Promise<void> {
    await this.#sink.close(options)
  }
}
