import type { TransactionDescription } from '../client/index.ts'
import type { Driver } from '../driver/index.ts'

/** So often somebody may take the transactional id before it is called shared. */
const fencesMax = 3
/** After so many commits in a row that nobody disturbed, what was before is forgotten. */
const calmCommits = 10
const askMsMax = 5_000

/** What was found out when a transaction was fenced. */
export interface Fence {
  /** Who has the id now, as far as the broker tells. */
  readonly holder: string
  readonly isShared: boolean
}

/**
 * Tells a transactional id that two processes have from one that was lost for a moment. Both of them commit between the
 * times that they take it from each other, so that a commit that goes well says little.
 */
export class IdHolders {
  readonly #driver: Pick<Driver, 'admin'>
  readonly #transactionalId: string
  #fences = 0
  #calm = 0

  constructor(driver: Pick<Driver, 'admin'>, transactionalId: string) {
    this.#driver = driver
    this.#transactionalId = transactionalId
  }

  /** A commit went well. */
  committed(): void {
    this.#calm += 1
    if (this.#calm >= calmCommits) this.#fences = 0
  }

  /** A transaction was refused since another producer has the id. Asks who, while that one still has it. */
  async fenced(): Promise<Fence> {
    const found = await this.#describe()
    const holder =
      found === undefined
        ? 'the broker does not tell which'
        : `producer id ${found.producerId}, epoch ${found.producerEpoch}, ${found.state}`
    // The coordinator has ended a transaction that took too long: nobody else has to have the id.
    if (found?.state === 'CompleteAbort' || found?.state === 'PrepareAbort') {
      return { holder, isShared: false }
    }
    this.#calm = 0
    this.#fences += 1
    return { holder, isShared: this.#fences >= fencesMax }
  }

  async #describe(): Promise<TransactionDescription | undefined> {
    try {
      const id = this.#transactionalId
      const { transactions } = this.#driver.admin()
      const found = (await transactions?.describeMany([id], { timeoutMs: askMsMax }))?.get(id)
      return found === undefined || found.error !== undefined ? undefined : found
    } catch {
      return undefined
    }
  }
}
