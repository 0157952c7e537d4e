import type { Compression } from '../../client/index.ts'
import type { RecordSink } from '../../driver/index.ts'

/** What writes with a codec: one sink for each, made when it is needed. */
export class CodecSinks {
  readonly #make: (compression: Compression) => RecordSink
  readonly #sinks = new Map<Compression, RecordSink>()

  constructor(make: (compression: Compression) => RecordSink) {
    this.#make = make
  }

  /** The one with this codec; without compression where the driver does not have it. */
  of(compression: Compression): RecordSink {
    const known = this.#sinks.get(compression)
    if (known !== undefined) return known
    let sink
    try {
      sink = this.#make(compression)
    } catch (error) {
      if (compression === 'none') throw error
      sink = this.of('none')
    }
    this.#sinks.set(compression, sink)
    return sink
  }

  async close(options: { readonly timeoutMs: number }): Promise<void> {
    await Promise.all([...new Set(this.#sinks.values())].map((sink) => sink.close(options)))
  }
}
