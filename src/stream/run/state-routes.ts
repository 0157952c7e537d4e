import type { HttpResponse, Route } from '../../observe/index.ts'
import type { StateStore } from '../../store/index.ts'
import type { ReadableTable } from '../flow/flow.ts'
import { rowsBetween, tableRange } from '../state/read-table.ts'

/** What tables hold in this process, task by task. */
export interface ReadableState {
  readonly taskCount: number
  /** Those that run here and are restored, in their order. */
  readonly stores: readonly { readonly task: number; readonly store: Pick<StateStore, 'range'> }[]
}

interface Question {
  readonly key: string | undefined
  readonly from: number | undefined
  readonly to: number | undefined
  readonly limit: number
  readonly after: { readonly task: number; readonly place: string } | undefined
}

const parameters = ['key', 'from', 'to', 'limit', 'after']
const limitDefault = 100
const limitMax = 1_000
/** An answer ends behind the row with which it has become so long. */
const answerCharactersMax = 1024 * 1024

/** Something about a question is wrong: its words are the answer. */
class WrongQuestion extends Error {}

/**
 * Answers what tables hold, as JSON: all of it page by page, or what is under a key, and of that the windows of a time. An answer is of what
 * is committed, of the tasks in this process, and never longer than a page.
 */
export function stateRoute(
  prefix: string,
  tables: readonly ReadableTable<unknown>[],
  state: () => ReadableState | undefined,
): Route {
  const byName = new Map(tables.map((table) => [table.parts.form.name, table]))
  return ({ path, query }) => {
    const name = decoded(path.slice(prefix.length))
    if (name === '') return answer(200, { tables: [...byName.keys()] })
    const table = byName.get(name)
    if (table === undefined) {
      const known = [...byName.keys()].join(', ')
      return answer(404, { error: `there is no table '${name}' to be read; there are ${known}` })
    }
    const here = state()
    if (here === undefined) return answer(503, { error: 'the stream does not run yet' })
    try {
      return page(name, table, here, questionOf(query))
    } catch (error) {
      if (error instanceof WrongQuestion) return answer(400, { error: error.message })
      throw error
    }
  }
}

function page(
  name: string,
  table: ReadableTable<unknown>,
  { stores, taskCount }: ReadableState,
  { key, from, to, limit, after }: Question,
): HttpResponse {
  const choice = {
    ...(key !== undefined && { key }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  }
  const [first, end] = tableRange(table, choice)
  if (after !== undefined && (after.place < first || after.place >= end)) {
    throw new WrongQuestion('after must be the next of an answer to the same question')
  }
  const rows: string[] = []
  let characters = 0
  let last: { task: number; place: string } | undefined
  let next: string | undefined
  for (const { task, store } of stores) {
    if (next !== undefined) break
    if (after !== undefined && task < after.task) continue
    // The smallest key behind the last one that was answered.
    const begin = task === after?.task ? `${after.place}\0` : first
    for (const { place, row } of rowsBetween(store, table, begin, end)) {
      if (last !== undefined && (rows.length >= limit || characters >= answerCharactersMax)) {
        next = cursorOf(last)
        break
      }
      const text = JSON.stringify({ task, ...row })
      rows.push(text)
      characters += text.length
      last = { task, place }
    }
  }
  const head = JSON.stringify({ table: name, tasks: stores.map(({ task }) => task), taskCount })
  const tail = next === undefined ? '' : `,"next":${JSON.stringify(next)}`
  return json(200, `${head.slice(0, -1)},"rows":[${rows.join(',')}]${tail}}`)
}

function questionOf(query: string): Question {
  const given = new URLSearchParams(query)
  for (const name of given.keys()) {
    if (parameters.includes(name)) continue
    throw new WrongQuestion(`${name} is not known; there are ${parameters.join(', ')}`)
  }
  const number = (name: string, max: number) => {
    const text = given.get(name)
    if (text === null) return undefined
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (value <= max) return value
    throw new WrongQuestion(`${name} must be a whole number from 0 to ${max}`)
  }
  const key = given.get('key') ?? undefined
  const from = number('from', Number.MAX_SAFE_INTEGER)
  const to = number('to', Number.MAX_SAFE_INTEGER)
  if (key === undefined && (from ?? to) !== undefined) {
    throw new WrongQuestion('from and to are of the windows of a key: say which key')
  }
  const limit = Math.max(1, number('limit', limitMax) ?? limitDefault)
  return { key, from, to, limit, after: placeOf(given.get('after')) }
}

function cursorOf({ task, place }: { readonly task: number; readonly place: string }): string {
  return `${task}.${Buffer.from(place, 'latin1').toString('base64url')}`
}

function placeOf(cursor: string | null): Question['after'] {
  if (cursor === null) return undefined
  const [, task, place] = /^(\d{1,9})\.([\w-]+)$/.exec(cursor) ?? []
  if (task === undefined || place === undefined) {
    throw new WrongQuestion('after must be the next of an answer')
  }
  return { task: Number(task), place: Buffer.from(place, 'base64url').toString('latin1') }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function answer(status: number, content: object): HttpResponse {
  return json(status, JSON.stringify(content))
}

function json(status: number, text: string): HttpResponse {
  return { status, contentType: 'application/json; charset=utf-8', body: `${text}\n` }
}
