import { anomalies } from './anomaly.ts'
import type { Anomaly, Invariant } from './anomaly.ts'
import type { Story } from './narrator.ts'

/** All cases of one anomaly in a history. */
export interface Finding {
  readonly invariant: Invariant
  readonly anomaly: Anomaly
  readonly meaning: string
  /** How many cases there are. */
  readonly count: number
  /** The first cases, as many as were asked for. */
  readonly stories: readonly Story[]
}

export interface FindingsOptions {
  /** Only counted, beside what Kafka allows anyway. */
  readonly allow: readonly Anomaly[]
  /** Violations, though Kafka allows them. */
  readonly forbid: readonly Anomaly[]
  readonly storiesMax: number
}

/** Collects what the invariants find. */
export class Findings {
  readonly #options: FindingsOptions
  readonly #violations = new Map<Anomaly, Collected>()
  readonly #observations = new Map<Anomaly, Collected>()

  constructor(options: FindingsOptions) {
    this.#options = options
  }

  /** `excused`: this case is allowed, though the anomaly as such is not. */
  add(anomaly: Anomaly, tell: () => Story, excused = false): void {
    const found = this.#allows(anomaly, excused) ? this.#observations : this.#violations
    let collected = found.get(anomaly)
    if (collected === undefined) {
      collected = { count: 0, stories: [] }
      found.set(anomaly, collected)
    }
    collected.count += 1
    if (collected.stories.length < this.#options.storiesMax) collected.stories.push(tell())
  }

  violations(): Finding[] {
    return inOrder(this.#violations)
  }

  observations(): Finding[] {
    return inOrder(this.#observations)
  }

  #allows(anomaly: Anomaly, excused: boolean): boolean {
    if (this.#options.forbid.includes(anomaly)) return false
    return excused || anomalies[anomaly].allowed || this.#options.allow.includes(anomaly)
  }
}

interface Collected {
  count: number
  readonly stories: Story[]
}

/** In the order of the table of anomalies, whatever was found first. */
function inOrder(found: ReadonlyMap<Anomaly, Collected>): Finding[] {
  const findings: Finding[] = []
  for (const anomaly of Object.keys(anomalies) as Anomaly[]) {
    const collected = found.get(anomaly)
    const { invariant, meaning } = anomalies[anomaly]
    if (collected !== undefined) findings.push({ invariant, anomaly, meaning, ...collected })
  }
  return findings
}
