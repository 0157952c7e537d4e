import { MillraceError } from '../../errors.ts'
import type { Log } from '../../observe/index.ts'
import type { Clock } from '../../platform/index.ts'
import type { Driver } from '../../driver/index.ts'
import type { ConsumerSettings } from '../assemble.ts'
import { checkLetters, checkNoLoop } from './check-topics.ts'
import type { TopicFacts } from './check-topics.ts'
import { Findings } from './findings.ts'
import { letterTopicsOf, mergedLetterTopics } from './letter-topics.ts'
import type { ResolvedTopicPolicy } from './topic-policy.ts'
import { TopicSurveyor } from './topic-survey.ts'

export interface LaterLetterTopicsParts {
  readonly driver: Pick<Driver, 'admin'>
  readonly clock: Clock
  readonly log: Log
  readonly policy: ResolvedTopicPolicy
  readonly settings: ConsumerSettings
  /** What the start has found out. */
  readonly facts: TopicFacts
}

/**
 * The dead-letter topics of topics that were not there at the start, as a pattern reads them: they are made, and checked,
 * before the first letter of their topic, by the rules of the start.
 */
export class LaterLetterTopics {
  readonly #parts: LaterLetterTopicsParts
  /** By the topic that the letters are of. */
  readonly #made = new Map<string, Promise<ReadonlyMap<string, number>>>()

  constructor(parts: LaterLetterTopicsParts) {
    this.#parts = parts
  }

  /** How many partitions the topic has; rejects as long as letters may not go there. */
  partitionCount(
    letterTopic: string,
    source: string,
  ): number | undefined | Promise<number | undefined> {
    const known = this.#parts.facts.letterPartitions.get(letterTopic)
    if (known !== undefined) return known
    let made = this.#made.get(source)
    if (made === undefined) {
      made = this.#make(source)
      this.#made.set(source, made)
      made.catch(() => this.#made.delete(source))
    }
    return made.then((counts) => counts.get(letterTopic))
  }

  async #make(source: string): Promise<ReadonlyMap<string, number>> {
    const { driver, clock, log, policy, settings } = this.#parts
    // A letter that a service writes while it ends needs its topic all the same.
    const { signal } = new AbortController()
    if (settings.deadLetter === undefined) return new Map()
    const findings = new Findings(log)
    const parts = { admin: driver.admin(), clock, log, findings, signal }
    const surveyor = new TopicSurveyor(parts)
    const { found } = await surveyor.look([source])
    const wanted = letterTopicsOf([...found.values()], settings.deadLetter)
    checkNoLoop(settings, [], wanted, findings)
    this.#throwIfRefused(source, findings)
    const facts = await checkLetters({ surveyor, findings, policy }, mergedLetterTopics(wanted))
    this.#throwIfRefused(source, findings)
    return facts.letterPartitions
  }

  #throwIfRefused(source: string, { refusals }: Findings): void {
    if (refusals.length === 0) return
    const problem = `no dead letters of ${source} can be written: ${refusals.join('; ')}`
    throw new MillraceError('MILLRACE_RUNTIME_START_REFUSED', problem)
  }
}
