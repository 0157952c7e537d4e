import type { Clock } from '../../../../platform/index.ts'
import { ConnectionError } from '../../../client-error.ts'

/** A coordinator that dies again and again forgets a member as often; but two members of one name must come to an end. */
const forgottenMax = 3

/**
 * The name of a static member, of which the coordinator says that another has it now. That other may be the member
 * itself, in two ways; then it takes its name back, holding nothing.
 *
 * - *late*: a member without an id has joined twice, since the first join was not answered. When that one arrives after
 *   the second, it takes the name over from it.
 * - *forgotten*: the id that a join was answered with is in the coordinator's memory alone until the assignments
 *   of its generation are written. A coordinator that dies before that knows, when it is back, the id from before, and
 *   that is another.
 *
 * If the other was another member after all, that one is fenced. Two members of one name that are both not assigned
 * anything yet may take it from each other, `forgottenMax` times; then one of them ends.
 */
export class InstanceName {
  readonly #clock: Clock
  readonly #joinLateMsMax: number
  /** Until then a join that had no id, and was not answered, is reckoned with. */
  #joinMayArriveUntilMs = -Infinity
  /** Whether the coordinator has written the member's id. */
  #isWritten = false
  #forgottenCount = 0

  /** `joinLateMsMax`: for so long a join that was not answered may still arrive. */
  constructor(clock: Clock, joinLateMsMax: number) {
    this.#clock = clock
    this.#joinLateMsMax = joinLateMsMax
  }

  /** A join without an id was not answered. */
  joinUnanswered(error?: unknown): void {
    if (error instanceof ConnectionError && !error.wasSent) return
    this.#joinMayArriveUntilMs = this.#clock.elapsedMs() + this.#joinLateMsMax
  }

  /** The assignment of a generation was given to the member: its id is written. */
  assigned(): void {
    this.#isWritten = true
    this.#forgottenCount = 0
  }

  /** The member has no id any more. */
  idGone(): void {
    this.#isWritten = false
  }

  /** Whether a member that is fenced takes its name back; `hasId`: it has been given an id. */
  isTakenBack(hasId: boolean): boolean {
    const isLate = this.#clock.elapsedMs() < this.#joinMayArriveUntilMs
    this.#joinMayArriveUntilMs = -Infinity
    if (isLate) return true
    if (!hasId || this.#isWritten || this.#forgottenCount === forgottenMax) return false
    this.#forgottenCount += 1
    return true
  }
}
