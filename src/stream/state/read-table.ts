import type { StateKey, StateStore } from '../../store/index.ts'
import type { ReadableTable, TableRow } from '../flow/flow.ts'
import { keptResultIn, placeIn } from '../operator/kept-result.ts'
import { behind, keyOfText, measured, nameEnd, orderedNumber, textOfKey } from './state-key.ts'

/** The part of a table that is asked for. */
export interface RowChoice {
  readonly key?: string
  /** Windows that begin at this time or later; only with `key`. */
  readonly from?: number
  /** Windows that begin before this time; only with `key`. */
  readonly to?: number
}

/** The results of a table that a store holds, by key and window. */
export function* readTable<Result>(
  store: Pick<StateStore, 'range'>,
  table: ReadableTable<Result>,
  choice: RowChoice = {},
): Generator<TableRow<Result>> {
  const [from, to] = tableRange(table, choice)
  for (const { row } of rowsBetween(store, table, from, to)) yield row
}

/** Where in a store the chosen part of a table lies: from the first on, before the second. */
export function tableRange(
  table: ReadableTable<unknown>,
  choice: RowChoice,
): readonly [StateKey, StateKey] {
  const prefix = table.parts.form.name + nameEnd
  return choice.key === undefined ? [prefix, behind(prefix)] : rangeOf(prefix, choice.key, choice)
}

/** The results of a table between two places in a store, with where they lie. */
export function* rowsBetween<Result>(
  store: Pick<StateStore, 'range'>,
  table: ReadableTable<Result>,
  from: StateKey,
  to: StateKey,
): Generator<{ readonly place: StateKey; readonly row: TableRow<Result> }> {
  const { form, windowing, shownAs } = table.parts
  for (const entry of store.range(from, to)) {
    const { key, start } = placeIn(entry.key, form.name)
    const { end, value } = keptResultIn(entry.value, form)
    const window = windowing === undefined ? undefined : { start, end }
    yield { place: entry.key, row: { key: textOfKey(key), window, value: shownAs(value) } }
  }
}

function rangeOf(prefix: string, key: string, { from, to }: RowChoice): [string, string] {
  const own = prefix + measured(keyOfText(key))
  return [
    from === undefined ? own : own + orderedNumber(from),
    to === undefined ? behind(own) : own + orderedNumber(to),
  ]
}
