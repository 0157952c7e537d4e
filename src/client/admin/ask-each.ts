import { MillraceError } from '../../errors.ts'
import { kafkaError } from '../../protocol/index.ts'
import { ConnectionError, isWorthRetrying, KafkaError } from '../client-error.ts'
import type { Broker } from '../cluster/cluster.ts'
import type { AdminCall } from './admin-call.ts'
import type { ItemResult } from './item-result.ts'
import type { Route } from './routes.ts'

/** One of the items that are asked about, while it has no result. */
export interface Asked<Item> {
  readonly key: string
  readonly item: Item
  /** A request with it may have taken effect without our learning of it. */
  answerWasLost: boolean
}

/** What a broker said, by the key of the item. */
export type Answers<Answer extends object> = ReadonlyMap<string, Answer | MillraceError>

/** What is asked, where, and what its answers mean. */
export interface Question<Item, Answer extends object> {
  readonly route: Route<Item>
  /** Whether a request that was not answered may have changed something. */
  readonly effect: 'reads' | 'changes'
  /** Asks a broker once. An error that it throws is the answer to all; silence about one is an error. */
  readonly ask: (broker: Broker, asked: readonly Asked<Item>[]) => Promise<Answers<Answer>>
  /** What is asked for, in errors: `'topic orders'`. */
  readonly name: (item: Item) => string
  /**
   * Whether to ask again. By default what a broker or a lost connection says can pass. `wasAsked` is false
   * where no broker to ask was found.
   */
  readonly mayRetry?: (error: MillraceError, asked: Asked<Item>, wasAsked: boolean) => boolean
  /**
   * A request was refused after one before it may have taken effect: what the answer would have been if
   * the state shows that it has, undefined if it does not. Absent: nothing can be told from the state.
   */
  readonly afterLostAnswer?: (
    item: Item,
    error: KafkaError,
  ) => Answer | undefined | Promise<Answer | undefined>
}

/**
 * Asks about all items until each has its result: an answer, a refusal, or the last error when the time is
 * over. They are split by the broker that has to be asked, and each broker's go their way: one that does not
 * answer holds up nobody else's. Rejects only when the call is aborted, or for an error of ours.
 *
 * An item is **open** until it has a result; what fails and can pass leaves it open, and it is placed anew
 * after a pause. That a request may have taken effect without our learning of it stays with the item: what
 * the next one is refused with may be the effect of the first.
 */
export async function askEach<Item, Answer extends object>(
  call: AdminCall,
  items: ReadonlyMap<string, Item>,
  question: Question<Item, Answer>,
): Promise<Map<string, ItemResult<Answer>>> {
  const asking = new Asking(call, question)
  const asked = [...items].map(([key, item]) => ({ key, item, answerWasLost: false }))
  try {
    await asking.askAll(asked, 1)
  } finally {
    question.route[Symbol.dispose]()
  }
  return new Map([...items.keys()].map((key) => [key, asking.resultOf(key)]))
}

/** Asks one thing of one broker until it is answered; throws what `askEach` would answer as the error. */
export async function askOne<Answer extends object>(
  call: AdminCall,
  route: Route<null>,
  ask: (broker: Broker) => Promise<Answer>,
): Promise<Answer> {
  const results = await askEach<null, { readonly answer: Answer }>(call, new Map([['', null]]), {
    route,
    effect: 'reads',
    name: () => call.what,
    ask: async (broker) => new Map([['', { answer: await ask(broker) }]]),
  })
  const result = results.get('')
  if (result?.error !== undefined) throw result.error
  return (result as { readonly answer: Answer }).answer
}

/** Adds a value to those of a key. */
export function addTo<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, [value])
  else known.push(value)
}

class Asking<Item, Answer extends object> {
  readonly #call: AdminCall
  readonly #question: Question<Item, Answer>
  readonly #results = new Map<string, ItemResult<Answer>>()

  constructor(call: AdminCall, question: Question<Item, Answer>) {
    this.#call = call
    this.#question = question
  }

  resultOf(key: string): ItemResult<Answer> {
    const result = this.#results.get(key)
    if (result === undefined) throw new Error(`${this.#call.what}: item '${key}' has no result`)
    return result
  }

  async askAll(asked: readonly Asked<Item>[], attempt: number): Promise<void> {
    if (asked.length === 0) return
    this.#call.throwIfAborted()
    const places = await this.#placesOf(asked)
    const failed = new Map<string, MillraceError>()
    const byBroker = new Map<Broker, Asked<Item>[]>()
    for (const [index, each] of asked.entries()) {
      const place = places[index]
      if (place === undefined || place instanceof MillraceError) {
        failed.set(each.key, place ?? saidNothing(this.#nameOf(each)))
      } else addTo(byBroker, place, each)
    }
    const unplaced = asked.filter(({ key }) => failed.has(key))
    await Promise.all([
      this.#take(unplaced, failed, attempt, false),
      ...[...byBroker].map(([broker, group]) => this.#askBroker(broker, group, attempt)),
    ])
  }

  async #placesOf(asked: readonly Asked<Item>[]): Promise<readonly (Broker | MillraceError)[]> {
    try {
      return await this.#question.route.place(asked.map(({ item }) => item))
    } catch (error) {
      const failure = this.#failure(error)
      return asked.map(() => failure)
    }
  }

  async #askBroker(broker: Broker, asked: readonly Asked<Item>[], attempt: number): Promise<void> {
    let answers: Answers<Answer>
    try {
      answers = await this.#question.ask(broker, asked)
    } catch (error) {
      const failure = this.#failure(error)
      answers = new Map(asked.map(({ key }) => [key, failure]))
    }
    await this.#take(asked, answers, attempt, true)
  }

  /** Settles what has an answer or a refusal, and goes on with the rest. */
  async #take(
    asked: readonly Asked<Item>[],
    answers: Answers<Answer>,
    attempt: number,
    wasAsked: boolean,
  ): Promise<void> {
    const again: Asked<Item>[] = []
    for (const each of asked) {
      const answer = answers.get(each.key) ?? saidNothing(this.#nameOf(each))
      if (!(answer instanceof MillraceError)) this.#results.set(each.key, answer)
      else if (this.#canPass(each, answer, wasAsked)) again.push(each)
      else this.#results.set(each.key, await this.#refusal(each, answer))
    }
    if (again.length === 0) return
    if (await this.#call.pause(attempt)) return this.askAll(again, attempt + 1)
    const toldOf = new Set<MillraceError>()
    for (const each of again) {
      const error = answers.get(each.key) ?? saidNothing(this.#nameOf(each))
      if (!(error instanceof MillraceError)) continue
      if (!toldOf.has(error)) this.#timeIsOver(error, attempt)
      toldOf.add(error)
      this.#results.set(each.key, { error: each.answerWasLost ? unknownOutcome(error) : error })
    }
  }

  #canPass(asked: Asked<Item>, error: MillraceError, wasAsked: boolean): boolean {
    const { route, effect, mayRetry = isWorthAskingAgain } = this.#question
    if (effect === 'changes' && mayHaveTakenEffect(error)) asked.answerWasLost = true
    route.learn(asked.item, error)
    return mayRetry(error, asked, wasAsked)
  }

  async #refusal(asked: Asked<Item>, error: MillraceError): Promise<ItemResult<Answer>> {
    if (!asked.answerWasLost) return { error }
    if (!(error instanceof KafkaError)) return { error: unknownOutcome(error) }
    try {
      const answer = await this.#question.afterLostAnswer?.(asked.item, error)
      if (answer !== undefined) return answer
    } catch (lookError) {
      this.#failure(lookError)
    }
    if (!afterLostAnswers.has(error)) error.message += earlierLost
    afterLostAnswers.add(error)
    return { error }
  }

  /** What is an answer to a question; anything else ends the call. */
  #failure(error: unknown): MillraceError {
    this.#call.throwIfAborted()
    if (error instanceof MillraceError && error.code !== 'MILLRACE_CLIENT_CLOSED') return error
    throw error
  }

  #timeIsOver(error: MillraceError, attempts: number): void {
    const { what, timeoutMs } = this.#call
    error.message = `${what}: given up after ${attempts} attempts in ${timeoutMs} ms: ${error.message}`
  }

  #nameOf(asked: Asked<Item>): string {
    return this.#question.name(asked.item)
  }
}

/** Codes that Kafka calls retriable and that the same question is answered with for ever. */
const stays: ReadonlySet<number> = new Set([
  kafkaError.UNKNOWN_TOPIC_OR_PARTITION,
  kafkaError.UNKNOWN_TOPIC_ID,
  kafkaError.ELECTION_NOT_NEEDED,
  kafkaError.PREFERRED_LEADER_NOT_AVAILABLE,
  kafkaError.ELIGIBLE_LEADERS_NOT_AVAILABLE,
])

/** Whether the same question may be answered otherwise soon. */
export function isWorthAskingAgain(error: MillraceError): boolean {
  return isWorthRetrying(error) && !(error instanceof KafkaError && stays.has(error.kafkaCode))
}

/** Refusals of requests whose like had been sent before, without an answer. */
const afterLostAnswers = new WeakSet<Error>()

/**
 * Whether what failed with this error of the administration may have been done all the same: the answer was
 * lost, or the broker's time was over, which may go on with what it has begun. False is certain.
 */
export function mayHaveTakenEffect(error: unknown): boolean {
  if (error instanceof ConnectionError) return error.wasSent
  if (!(error instanceof KafkaError)) return false
  return error.kafkaCode === kafkaError.REQUEST_TIMED_OUT || afterLostAnswers.has(error)
}

const earlierLost = ' (an earlier request was not answered, and may have taken effect)'

/** The last error may say that nothing was sent; that is not so of the requests before it. */
function unknownOutcome(error: MillraceError): MillraceError {
  if (mayHaveTakenEffect(error)) return error
  return new ConnectionError(error.message + earlierLost, true, { cause: error })
}

function saidNothing(name: string): KafkaError {
  return new KafkaError(kafkaError.UNKNOWN_SERVER_ERROR, name, 'the broker said nothing of it')
}
