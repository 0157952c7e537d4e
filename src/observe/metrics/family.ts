import type { Log } from '../log.ts'
import type { Definition } from './definition.ts'
import { labelSetOf, overflowLabels } from './labels.ts'
import type { Labels, LabelSet, LabelsArgument } from './labels.ts'

/** Metrics of one name, told apart by their labels. */
export interface Family<Name extends string, Child> {
  readonly name: string
  /** The child of these label values. Ask for it once and keep it: the call is not for hot paths. */
  with(...labels: LabelsArgument<Name>): Child
  /** Ends a child: it is exported no more, and what it still counts goes nowhere. */
  remove(...labels: LabelsArgument<Name>): void
}

/** Takes a value for a set of label values. */
export type Report<Name extends string> = (
  ...report: [...LabelsArgument<Name>, value: number]
) => void

/** A family whose values may also be computed whenever somebody reads them. */
export interface ObservedFamily<Name extends string, Child> extends Family<Name, Child> {
  /**
   * Calls `read` at each reading; it reports what there is at that moment, so nothing goes stale. What several
   * report for the same labels is added up. Answers a function that ends it.
   */
  observe(read: (report: Report<Name>) => void): () => void
}

/**
 * The children of a family. There are at most `labelSetsMax`, and one more: whoever asks for another gets the
 * child whose labels all say `other`. So a label that turns out to have no bound costs precision, never memory.
 */
export class Children<Child> {
  readonly #definition: Definition
  readonly #log: Log
  readonly #make: (labels: LabelSet) => Child
  readonly #children = new Map<string, Child>()
  #overflowTold = false

  constructor(definition: Definition, log: Log, make: (labels: LabelSet) => Child) {
    this.#definition = definition
    this.#log = log
    this.#make = make
    // Without labels there is one series, and it is 0 before anything happens.
    if (definition.labels.length === 0) this.with({})
  }

  with(given: Labels<string> = {}): Child {
    const { name, labels: names } = this.#definition
    const labels = labelSetOf(name, names, given)
    const isKnown = this.#children.has(labels.text)
    return this.#childOf(
      isKnown || this.hasRoom(this.#children.size) ? labels : overflowLabels(names),
    )
  }

  remove(given: Labels<string> = {}): void {
    const { name, labels: names } = this.#definition
    this.#children.delete(labelSetOf(name, names, given).text)
  }

  /** Whether one more may be beside `count` others. Says once that it may not. */
  hasRoom(count: number): boolean {
    const { name, labels, labelSetsMax } = this.#definition
    if (count < labelSetsMax) return true
    if (!this.#overflowTold) {
      this.#overflowTold = true
      this.#log('warn', 'a metric has too many label values: more of them count as "other"', {
        metric: name,
        labels: labels.join(','),
        labelSetsMax,
      })
    }
    return false
  }

  get size(): number {
    return this.#children.size
  }

  [Symbol.iterator](): Iterator<Child> {
    return this.#children.values()
  }

  #childOf(labels: LabelSet): Child {
    const known = this.#children.get(labels.text)
    if (known !== undefined) return known
    const made = this.#make(labels)
    this.#children.set(labels.text, made)
    return made
  }
}
