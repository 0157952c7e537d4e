import { OptionError } from '../../errors.ts'
import { asFields, copyEvent } from './recorded-event.ts'
import type { History, HistoryEvent } from './operation.ts'

/** The history as lines of JSON, each with its newline. */
export function* historyLines(history: History): Generator<string, void, undefined> {
  for (const event of history.events) yield `${JSON.stringify(event)}\n`
}

/**
 * Reads the lines of one recorder, or of several that wrote to one file one after the other. The
 * last line may be torn, as a killed process leaves it: it is dropped, and what it would have ended
 * counts as unknown. Anything else that is not an event is refused.
 */
export function readHistory(lines: string | Iterable<string>): History {
  const reader = new LineReader()
  let pending: string | undefined
  for (const line of typeof lines === 'string' ? lines.split('\n') : lines) {
    if (line.trim() === '') continue
    if (pending !== undefined) reader.read(pending)
    pending = line
  }
  if (pending !== undefined && parse(pending) !== undefined) reader.read(pending)
  return { events: reader.events }
}

/** Gives the operations of the file the numbers they have in the history: 0, 1, 2 … */
class LineReader {
  readonly events: HistoryEvent[] = []
  readonly #numbers = new Map<unknown, number>()
  #operationCount = 0
  #lineCount = 0

  read(line: string): void {
    this.#lineCount += 1
    try {
      const fields = asFields(parse(line), 'event')
      this.events.push(copyEvent(this.#number(fields['event'], fields['id']), fields))
    } catch (error) {
      const shown = line.length > 80 ? `${line.slice(0, 80)}…` : line.trimEnd()
      throw new OptionError(`history line ${this.#lineCount}`, `(${shown}) is not an event`, {
        cause: error,
      })
    }
  }

  /** A second recorder in the file starts to count from 0 again: a beginning makes its number new. */
  #number(event: unknown, id: unknown): number {
    if (event === 'begin') {
      this.#numbers.set(id, this.#operationCount)
      this.#operationCount += 1
      return this.#operationCount - 1
    }
    const number = this.#numbers.get(id)
    if (number === undefined) throw new OptionError('history.id', `(${String(id)}) was never begun`)
    if (event === 'end') this.#numbers.delete(id)
    return number
  }
}

/** Undefined for what is not JSON. */
function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
