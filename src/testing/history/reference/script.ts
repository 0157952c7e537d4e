import { checkHistory } from '../check.ts'
import { recordHistory } from '../record.ts'
import type { CheckOptions } from '../check.ts'
import type { HistoryReport } from '../report.ts'
import type { HistoryRecorder } from '../record.ts'
import type { EndedAs, History, PolledRecord, Value } from '../operation.ts'

/** A record of `orders-0` as a poll returns it. */
export function at(offset: number, value: Value): PolledRecord {
  return { topic: 'orders', partition: 0, offset, value }
}

/** Offset `offset` of `orders-0`. */
export function place(offset: number): { topic: string; partition: number; offset: number } {
  return { topic: 'orders', partition: 0, offset }
}

/** A history written by hand, on `orders-0`: each event is a millisecond after the one before. */
export class Script {
  readonly history: HistoryRecorder & History
  #atMs = -1

  constructor() {
    this.history = recordHistory({
      now: () => {
        this.#atMs += 1
        return this.#atMs
      },
    })
  }

  /** Sends a record that is acknowledged. */
  send(process: string, value: Value, offset?: number): void {
    this.sending(process, value).ok({ offset })
  }

  /** Begins to send a record. */
  sending(process: string, value: Value) {
    return this.history.begin({ process, kind: 'send', topic: 'orders', partition: 0, value })
  }

  poll(process: string, ...records: readonly PolledRecord[]): void {
    this.history.begin({ process, kind: 'poll' }).ok({ records })
  }

  transaction(process: string) {
    return this.history.begin({ process, kind: 'transaction' })
  }

  handling(process: string, offset: number, key: string | null = 'k', group = 'g') {
    return this.history.begin({ process, kind: 'handler', group, ...place(offset), key })
  }

  handle(process: string, offset: number, ended: EndedAs = 'done'): void {
    this.handling(process, offset).ok({ ended })
  }

  committing(process: string, offset: number, group = 'g') {
    return this.history.begin({ process, kind: 'commit', group, offsets: [place(offset)] })
  }

  commit(process: string, offset: number, group = 'g'): void {
    this.committing(process, offset, group).ok()
  }

  check(options: CheckOptions = {}): HistoryReport {
    return checkHistory(this.history, options)
  }

  /** The names of the promises' breaches, in the order of the table. */
  violations(options: CheckOptions = {}): string[] {
    return this.check(options).violations.map(({ anomaly }) => anomaly)
  }

  /** What is seen and allowed. */
  observations(options: CheckOptions = {}): string[] {
    return this.check(options).observations.map(({ anomaly }) => anomaly)
  }
}
