/** What happens in a process, written down where it outlives the process: one line a happening, in a file of its own. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs'

export type Happening =
  /** A handler begins with a record, ends well, fails, or is refused because the record is no longer its own. */
  | 'start'
  | 'done'
  | 'failed'
  | 'left'
  /** A partition is given to the process, or was taken from it without being asked. */
  | 'assigned'
  | 'lost'

export interface JournalLine {
  /** Of the clock that all processes of a machine share, in milliseconds. */
  readonly atMs: number
  readonly what: Happening
  readonly partition: number
  /** -1 where it is about a partition. */
  readonly offset: number
  readonly attempt: number
  /** Of the record. */
  readonly key: string
}

/** The time that all processes of this machine agree about. */
export function machineTimeMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Writes at once: what was told is there, whatever becomes of the process in the next moment. */
export class JournalWriter {
  readonly #file: number

  constructor(path: string) {
    this.#file = openSync(path, 'a')
  }

  write({ what, partition, offset = -1, attempt = 0, key = '' }: Partial<JournalLine>): void {
    const words = [machineTimeMs().toFixed(3), what, partition, offset, attempt, key]
    writeSync(this.#file, `${words.join(' ')}\n`)
  }
}

/** Reads what has come since the last time. */
export class JournalReader {
  readonly #path: string
  #file: number | undefined
  #position = 0
  #rest = ''

  constructor(path: string) {
    this.#path = path
  }

  read(): JournalLine[] {
    this.#file ??= openSync(this.#path, 'a+')
    const chunk = Buffer.alloc(65_536)
    const lines: string[] = []
    for (;;) {
      const length = readSync(this.#file, chunk, 0, chunk.length, this.#position)
      if (length === 0) return lines.map(lineIn)
      this.#position += length
      const parts = (this.#rest + chunk.toString('latin1', 0, length)).split('\n')
      // The process may be in the middle of a line.
      this.#rest = parts.pop() ?? ''
      lines.push(...parts)
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }
}

function lineIn(text: string): JournalLine {
  const [atMs, what, partition, offset, attempt, key = ''] = text.split(' ')
  return {
    ...{ atMs: Number(atMs), what: what as Happening, partition: Number(partition) },
    ...{ offset: Number(offset), attempt: Number(attempt), key },
  }
}
