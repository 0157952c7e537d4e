import type { InterceptedRequest } from '../broker/index.ts'
import { OptionError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { apis, kafkaError } from '../protocol/index.ts'
import type { Api } from '../protocol/index.ts'

/** Where an answer has its error: at each thing that the request names, or for the whole request. */
export type ErrorPlace = 'each' | 'whole'

type Fields = Api['response']['fields']
type WireType = Fields[string]['type']
type Body = Readonly<Record<string, unknown>>

/**
 * What answers a list of a request, where that is not the list of the same name or else the only
 * lists that there are; null where nothing of the request is answered by it.
 */
const counterparts: Readonly<Record<string, readonly string[] | null>> = {
  'Fetch responses': ['topics'],
  'AddPartitionsToTxn resultsByTransaction': ['transactions'],
  'AddPartitionsToTxn resultsByTopicV3AndBelow': ['v3AndBelowTopics'],
  'UpdateFeatures results': null,
  'DeleteTopics responses': ['topics', 'topicNames'],
  'ShareFetch responses': ['topics'],
}

/** Fields that have the name of something, and what the request calls it. */
const namesOf: Readonly<Record<string, string>> = { user: 'name' }

/**
 * The answer that tells a client of an error, in the form of its request's API: for each topic, partition,
 * group or whatever else the request names, or, with `'whole'` and where nothing is named, for all of it.
 *
 * @example
 * // Nothing is written, and the client is told to look for another leader.
 * kafka.intercept('Produce', (request) => errorAnswer(request, 'NOT_LEADER_OR_FOLLOWER'))
 */
export function errorAnswer(
  request: Pick<InterceptedRequest, 'apiKey' | 'body'>,
  error: string | number,
  place: ErrorPlace = 'each',
): object {
  const api = apis.find(({ key }) => key === request.apiKey)
  if (api === undefined) throw new OptionError('api', `(${request.apiKey}) is not known`)
  const mirror = new Mirror(api.name, errorCodeOf(error))
  const answer = place === 'each' ? mirror.struct(api.response.fields, request.body as Body) : {}
  return mirror.hasPlaced ? answer : { ...answer, ...mirror.codes(api.response.fields) }
}

/** The code of an error by Kafka's name for it; a number stands for itself. */
export function errorCodeOf(error: string | number): number {
  if (typeof error === 'number') {
    if (Number.isInteger(error) && error >= -32_768 && error <= 32_767) return error
    throw new OptionError('error', `(${error}) must be from -32768 to 32767`)
  }
  const code = (kafkaError as Readonly<Record<string, number>>)[error]
  if (code !== undefined) return code
  const meant = nearest(error, Object.keys(kafkaError))
  const hint = meant === undefined ? '' : `; did you mean '${meant}'?`
  throw new OptionError('error', `(${error}) is not known${hint}`)
}

/** Makes the lists of an answer out of those of the request. What it leaves out has its default. */
class Mirror {
  hasPlaced = false
  readonly #api: string
  readonly #code: number

  constructor(api: string, code: number) {
    this.#api = api
    this.#code = code
  }

  /** The codes of a message or an item, without those of the items below it. */
  codes(fields: Fields): Body {
    const names = Object.keys(fields).filter(isErrorCode)
    return Object.fromEntries(names.map((name) => [name, this.#code]))
  }

  /** The lists of a message or an item that have errors, as the request's have items. */
  struct(fields: Fields, request: Body): Body {
    const lists: Record<string, unknown> = {}
    for (const [name, { type }] of Object.entries(fields)) {
      if (type.kind !== 'array' || !hasErrors(type)) continue
      lists[name] = this.#itemsFor(name, request).map((item) => this.#item(type.element, item))
    }
    return lists
  }

  #itemsFor(name: string, request: Body): readonly unknown[] {
    const declared = counterparts[`${this.#api} ${name}`]
    if (declared === null) return []
    const own = Array.isArray(request[name]) ? [name] : Object.keys(request)
    return (declared ?? own).flatMap((list) => {
      const items = request[list]
      return Array.isArray(items) ? (items as unknown[]) : []
    })
  }

  #item(type: WireType, item: unknown): unknown {
    if (type.kind !== 'struct') return item
    const below = isStruct(item) ? this.struct(type.fields, item) : {}
    const isLeaf = Object.values(below).every((list) => (list as unknown[]).length === 0)
    const codes = isLeaf ? this.codes(type.fields) : {}
    if (Object.keys(codes).length > 0) this.hasPlaced = true
    return { ...named(type.fields, item), ...below, ...codes }
  }
}

/** What an item of an answer is about, in the words of the request. */
function named(fields: Fields, item: unknown): Body {
  const scalars = Object.entries(fields).filter(
    ([name, { type }]) => type.kind !== 'array' && type.kind !== 'struct' && !isError(name),
  )
  if (isStruct(item)) {
    const known = scalars.flatMap(([name]) => {
      const value = item[name] ?? item[namesOf[name] ?? ''] ?? indexIn(name, item)
      return value === undefined ? [] : [[name, value] as const]
    })
    return Object.fromEntries(known)
  }
  const kind = typeof item === 'string' ? 'string' : 'int32'
  const first = scalars.find(([, { type }]) => type.kind === kind)
  return first === undefined ? {} : { [first[0]]: item }
}

/** Fetch calls a partition's number otherwise in its answer than in its request. */
function indexIn(name: string, item: Body): unknown {
  return name === 'partitionIndex' ? item['partition'] : undefined
}

function hasErrors(type: WireType): boolean {
  if (type.kind === 'array') return hasErrors(type.element)
  if (type.kind !== 'struct') return false
  return Object.entries(type.fields).some(([name, field]) => {
    return isErrorCode(name) || hasErrors(field.type)
  })
}

function isErrorCode(name: string): boolean {
  return name === 'errorCode' || name === 'partitionErrorCode'
}

function isError(name: string): boolean {
  return /error(?:Code|Message)$/i.test(name)
}

function isStruct(item: unknown): item is Body {
  return typeof item === 'object' && item !== null && !Buffer.isBuffer(item)
}
