import { KafkaError } from '../client/index.ts'
import type { ProducerRecord, RecordBytes } from '../client/index.ts'
import type { Driver } from '../driver/index.ts'
import type { Clock } from '../platform/index.ts'
import { kafkaError } from '../protocol/index.ts'

/** A topic's limit may be raised while a service runs. */
const rememberMs = 60_000
/** The header of a batch, and lengths of fields. */
const batchBytes = 100
const fieldBytes = 5

interface Limit {
  readonly bytesMax: Promise<number>
  readonly askedAtMs: number
}

/** Knows how large a record each topic takes: one that is larger would make everything fail that is written with it. */
export class TopicLimits {
  readonly #admin: Pick<ReturnType<Driver['admin']>, 'configs'>
  readonly #clock: Pick<Clock, 'elapsedMs'>
  readonly #limits = new Map<string, Limit>()

  constructor(
    admin: Pick<ReturnType<Driver['admin']>, 'configs'>,
    clock: Pick<Clock, 'elapsedMs'>,
  ) {
    this.#admin = admin
    this.#clock = clock
  }

  /** Rejects a record that is larger than its topic takes, whatever a codec would make of it. */
  async check(record: ProducerRecord): Promise<void> {
    checkSize(record, await this.bytesMax(record.topic))
  }

  /** How large a record the topic takes. */
  bytesMax(topic: string): Promise<number> {
    const now = this.#clock.elapsedMs()
    const known = this.#limits.get(topic)
    if (known !== undefined && now - known.askedAtMs < rememberMs) return known.bytesMax
    const limit = { bytesMax: this.#ask(topic), askedAtMs: now }
    this.#limits.set(topic, limit)
    return limit.bytesMax
  }

  /** Where it may not be asked for, the broker says when it is too large. */
  async #ask(topic: string): Promise<number> {
    try {
      const [found] = await this.#admin.configs.describeMany([{ type: 'topic', name: topic }])
      const entry = found?.error === undefined ? found?.entries.get('max.message.bytes') : undefined
      return typeof entry?.value === 'string' ? Number(entry.value) : Infinity
    } catch {
      return Infinity
    }
  }
}

/** Throws what a broker would say of a record that is larger than its topic takes. */
export function checkSize(record: ProducerRecord, bytesMax: number): void {
  // Nearly all are so small that it need not be known how small: a character has at most three bytes.
  if (bytesOf(record, bytesAtMost) <= bytesMax) return
  const bytes = bytesOf(record, bytesInAll)
  if (bytes <= bytesMax) return
  const detail = `it has ${bytes} bytes, and the topic takes ${bytesMax} (max.message.bytes)`
  throw new KafkaError(kafkaError.MESSAGE_TOO_LARGE, `a record for ${record.topic}`, detail)
}

const bytesAtMost = (text: string) => text.length * 3
const bytesInAll = (text: string) => Buffer.byteLength(text)

function bytesOf(
  { key, value, headers = [] }: ProducerRecord,
  bytesOfText: (text: string) => number,
): number {
  const list = Array.isArray(headers)
    ? (headers as readonly (readonly [string, RecordBytes])[])
    : Object.entries(headers as Readonly<Record<string, RecordBytes>>)
  const lengthOf = (field: RecordBytes | undefined) => {
    if (field === undefined || field === null) return fieldBytes
    return fieldBytes + (typeof field === 'string' ? bytesOfText(field) : field.length)
  }
  let bytes = batchBytes + lengthOf(key) + lengthOf(value)
  for (const [name, field] of list) bytes += lengthOf(name) + lengthOf(field)
  return bytes
}
