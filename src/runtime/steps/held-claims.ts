import type { Clock, Timer } from '../../platform/index.ts'
import type { Claim, DedupeStore } from '../../store/index.ts'

export interface HeldClaimsParts {
  readonly clock: Clock
  readonly store: DedupeStore
  /** How long a claim lasts that is not renewed. */
  readonly claimMs: number
  /** A claim is somebody else's by now, though its handler runs. */
  readonly lost: (claim: Claim) => void
  readonly failed: (error: unknown) => void
}

/** A claim is renewed when so much of its time is over. */
const renewAt = 1 / 4

/** Claims of handlers that run: each is renewed in good time, until it is let go. One timer for all. */
export class HeldClaims {
  readonly #parts: HeldClaimsParts
  readonly #periodMs: number
  /** When each was claimed or renewed last. */
  readonly #held = new Map<Claim, number>()
  #timer: Timer | undefined

  constructor(parts: HeldClaimsParts) {
    this.#parts = parts
    this.#periodMs = parts.claimMs * renewAt
  }

  get size(): number {
    return this.#held.size
  }

  hold(claim: Claim): void {
    this.#held.set(claim, this.#parts.clock.elapsedMs())
    this.#timer ??= this.#arm()
  }

  letGo(claim: Claim): void {
    this.#held.delete(claim)
  }

  #arm(): Timer {
    return this.#parts.clock.setTimer(this.#periodMs, () => {
      this.#timer = this.#held.size > 0 ? this.#arm() : undefined
      const dueMs = this.#parts.clock.elapsedMs() - this.#periodMs
      for (const [claim, sinceMs] of this.#held) if (sinceMs <= dueMs) void this.#renew(claim)
    })
  }

  async #renew(claim: Claim): Promise<void> {
    const { clock, store, claimMs, lost, failed } = this.#parts
    const askedMs = clock.elapsedMs()
    try {
      const isHeld = await store.renew(claim, claimMs)
      if (!this.#held.has(claim)) return
      if (isHeld) {
        this.#held.set(claim, askedMs)
      } else {
        this.#held.delete(claim)
        lost(claim)
      }
    } catch (error) {
      // It is asked again in the next period: there are two more of them before the claim expires.
      failed(error)
    }
  }
}
