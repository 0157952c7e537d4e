import type { SimulatedHost } from './host.ts'
import { loopbackLatencyMs } from './network-conditions.ts'
import type { ScheduledEvent } from './scheduler.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { World } from './world.ts'

/** What travels in one direction of a connection. All but data have no bytes. */
export interface Segment {
  readonly kind: 'open' | 'data' | 'end' | 'reset'
  readonly bytes: Buffer
  readonly arriveAtMs: number
}

/** The sides of a channel, as it sees them. */
export interface ChannelSides {
  readonly from: SimulatedHost
  readonly to: SimulatedHost
  arrived(segment: Segment): void
  /** There is room again after `offer` had taken less than it was given. */
  roomMade(): void
  /** What was sent has not been acknowledged for as long as the system tries. */
  gaveUp(): void
}

/** The system takes no larger piece at once. */
const segmentBytesMax = 64 * 1024

/**
 * One direction of a connection, from the sender's kernel to the receiver's: bounded, in order, as
 * slow as the network is.
 *
 * States: moving (segments arrive one after the other) ⇄ stalled (nothing gets through; what is in
 * flight is sent again once the way is free), until the sender gives up. Segments of a sender that
 * is gone are not sent again: when they stall, they are lost.
 */
export class Channel {
  readonly #world: World
  readonly #id: number
  readonly #sides: ChannelSides
  readonly #random: SeededRandom
  #flight: Segment[] = []
  #heldBytes = 0
  #lastArrivalMs = 0
  #linkFreeAtMs = 0
  #arrival: ScheduledEvent | undefined
  #giveUp: ScheduledEvent | undefined
  #isStalled = false
  #senderIsGone = false
  #senderWaits = false

  constructor(world: World, id: number, random: SeededRandom, sides: ChannelSides) {
    this.#world = world
    this.#id = id
    this.#random = random
    this.#sides = sides
  }

  /** Takes as many of the bytes as there is room for, and perhaps fewer. */
  offer(bytes: Uint8Array): number {
    const { bufferBytes, splitProbability } = this.#world.network.conditions
    const room = Math.min(bufferBytes - this.#heldBytes, segmentBytesMax)
    let size = Math.min(bytes.length, room)
    if (size <= 0) {
      this.#senderWaits = true
      return 0
    }
    if (this.#random.chance(splitProbability)) size = 1 + this.#random.integer(size)
    this.#heldBytes += size
    this.#push('data', Buffer.from(bytes.subarray(0, size)))
    return size
  }

  send(kind: 'open' | 'end'): void {
    this.#push(kind, noBytes)
  }

  /** Breaks off: a random part of what is in flight is lost, then a reset arrives. */
  reset(): void {
    const kept = this.#random.integer(this.#flight.length + 1)
    for (const { bytes } of this.#flight.splice(kept)) this.#heldBytes -= bytes.length
    if (kept === 0) this.#forgetArrival()
    this.#senderIsGone = true
    this.#push('reset', noBytes)
    if (this.#isStalled) this.#lose()
  }

  /** The sender is gone and nobody will send again what is lost on the way. */
  orphan(): void {
    this.#senderIsGone = true
    if (this.#isStalled) this.#lose()
  }

  /** The receiver has read this many bytes, or will never read them. */
  consumed(bytes: number): void {
    this.#heldBytes -= bytes
    if (!this.#senderWaits) return
    this.#senderWaits = false
    this.#world.scheduler.schedule(this.#latencyMs(), 'network.room', () => this.#sides.roomMade())
  }

  /** Called when the network has changed: perhaps the way is free. */
  retry(): void {
    if (!this.#isStalled || this.#isBlocked()) return
    this.#endStall()
    const again = this.#flight
    this.#flight = []
    for (const { kind, bytes } of again) this.#push(kind, bytes)
  }

  #push(kind: Segment['kind'], bytes: Buffer): void {
    const last = this.#flight.at(-1)
    const mayMerge = kind === 'data' && last?.kind === 'data' && !this.#isStalled
    if (mayMerge && this.#random.chance(this.#world.network.conditions.mergeProbability)) {
      this.#flight.pop()
      const merged = Buffer.concat([last.bytes, bytes])
      this.#flight.push({ kind, bytes: merged, arriveAtMs: last.arriveAtMs })
      return
    }
    const arriveAtMs = Math.max(this.#lastArrivalMs, this.#transmittedAtMs(bytes.length))
    this.#lastArrivalMs = arriveAtMs
    this.#flight.push({ kind, bytes, arriveAtMs })
    if (this.#isStalled) this.#limitStall()
    else if (this.#arrival === undefined) this.#awaitArrival()
  }

  #transmittedAtMs(bytes: number): number {
    const { bytesPerMs } = this.#world.network.conditions
    const startMs = Math.max(this.#world.scheduler.nowMs, this.#linkFreeAtMs)
    this.#linkFreeAtMs = startMs + bytes / bytesPerMs
    return this.#linkFreeAtMs + this.#latencyMs()
  }

  #latencyMs(): number {
    if (this.#sides.from === this.#sides.to) return this.#random.within(loopbackLatencyMs)
    const { latencyMs, slowProbability, slowMs } = this.#world.network.conditions
    const slowness = this.#random.chance(slowProbability) ? this.#random.within(slowMs) : 0
    return this.#random.within(latencyMs) + slowness
  }

  #awaitArrival(): void {
    const [next] = this.#flight
    if (next === undefined) return
    const { scheduler } = this.#world
    const delayMs = next.arriveAtMs - scheduler.nowMs
    const lane = { lane: this.#id }
    this.#arrival = scheduler.schedule(delayMs, 'network.arrive', () => this.#arrive(), lane)
  }

  #arrive(): void {
    this.#arrival = undefined
    if (this.#isBlocked()) {
      this.#stall()
      return
    }
    const segment = this.#flight.shift()
    if (segment === undefined) return
    this.#awaitArrival()
    this.#world.trace.name(segment.kind)
    this.#world.trace.word(this.#id)
    if (this.#world.tracing.lengths) this.#world.trace.word(segment.bytes.length)
    this.#sides.arrived(segment)
  }

  #stall(): void {
    this.#isStalled = true
    if (this.#senderIsGone) this.#lose()
    else this.#limitStall()
  }

  /** The sender gives up in the end, if it waits for anything to be acknowledged. */
  #limitStall(): void {
    if (this.#giveUp !== undefined || this.#flight.every(({ kind }) => kind === 'open')) return
    const { scheduler, network } = this.#world
    const { retransmissionTimeoutMs } = network.conditions
    this.#giveUp = scheduler.schedule(retransmissionTimeoutMs, 'network.give-up', () => {
      this.orphan()
      this.#sides.gaveUp()
    })
  }

  #lose(): void {
    for (const { bytes } of this.#flight.splice(0)) this.#heldBytes -= bytes.length
    this.#forgetArrival()
    this.#endStall()
  }

  #endStall(): void {
    this.#isStalled = false
    if (this.#giveUp !== undefined) this.#giveUp.cancelled = true
    this.#giveUp = undefined
  }

  #forgetArrival(): void {
    if (this.#arrival !== undefined) this.#arrival.cancelled = true
    this.#arrival = undefined
  }

  #isBlocked(): boolean {
    return this.#world.network.isBlocked(this.#sides.from, this.#sides.to)
  }
}

const noBytes = Buffer.alloc(0)
