import { Channel, type Segment } from './channel.ts'
import type { SimulatedHost } from './host.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { World } from './world.ts'
import type { Endpoint } from '../../platform/index.ts'

/** Where one end of a connection is. */
export interface EndPlace {
  readonly host: SimulatedHost
  readonly endpoint: Endpoint
}

/** A connection between two hosts, or within one. It is made when the server's kernel has agreed. */
export class Connection {
  readonly id: number
  readonly client: ConnectionEnd
  readonly server: ConnectionEnd
  /** Draws for everything that befalls this connection. */
  readonly random: SeededRandom

  constructor(world: World, client: EndPlace, server: EndPlace, random: SeededRandom) {
    this.id = world.nextId()
    this.random = random
    this.client = new ConnectionEnd(world, this, client, server)
    this.server = new ConnectionEnd(world, this, server, client)
  }

  /** Breaks it for both sides. */
  reset(): void {
    this.client.breakOff()
    this.server.breakOff()
  }

  orphan(): void {
    this.client.outgoing.orphan()
    this.server.outgoing.orphan()
  }

  retry(): void {
    this.client.outgoing.retry()
    this.server.outgoing.retry()
  }

  /** Whether one of its ends still takes part. */
  get isOpen(): boolean {
    return this.client.isOpen || this.server.isOpen
  }
}

/** How the kernel learnt that a connection is gone without having been ended. */
export type Breakage = 'reset' | 'timeout'

/**
 * What the kernel of one side knows of a connection.
 *
 * States: open → released (`close`, `abort`, `vanish`, a reset that arrived, giving up). A kernel
 * that gets data for a connection it has released answers with a reset.
 */
export class ConnectionEnd {
  readonly connection: Connection
  readonly host: SimulatedHost
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly outgoing: Channel
  /** Told of everything that arrives, by whoever owns this end. */
  onChange: () => void = ignore
  /** Told when there is room again. */
  onRoom: () => void = ignore
  /** The server's listener takes the connection when the client's first segment arrives. */
  onOpen: () => void = ignore
  #received: Buffer[] = []
  #receivedBytes = 0
  #isOpen = true
  #otherSideEnded = false
  #isEndSent = false
  #breakage: Breakage | undefined

  constructor(world: World, connection: Connection, here: EndPlace, there: EndPlace) {
    this.connection = connection
    this.host = here.host
    this.local = here.endpoint
    this.remote = there.endpoint
    this.outgoing = new Channel(world, world.nextId(), connection.random, {
      from: here.host,
      to: there.host,
      arrived: (segment) => this.#other.arrived(segment),
      roomMade: () => this.onRoom(),
      gaveUp: () => this.#breakWith('timeout'),
    })
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get receivedBytes(): number {
    return this.#receivedBytes
  }

  /** The other side sends no more, and all it sent has been taken. */
  get isDrained(): boolean {
    return this.#otherSideEnded && this.#receivedBytes === 0
  }

  /** There is something to deliver: bytes, or the end. */
  get hasMore(): boolean {
    return this.#receivedBytes > 0 || this.#otherSideEnded
  }

  get breakage(): Breakage | undefined {
    return this.#breakage
  }

  /** Up to `bytesMax` of what has arrived, as one chunk. */
  take(bytesMax: number): Buffer {
    const all = this.#received.length === 1 ? this.#received[0] : Buffer.concat(this.#received)
    const chunk = (all ?? noBytes).subarray(0, bytesMax)
    const rest = (all ?? noBytes).subarray(bytesMax)
    this.#received = rest.length === 0 ? [] : [rest]
    this.#receivedBytes = rest.length
    this.#other.outgoing.consumed(chunk.length)
    return chunk
  }

  sendEnd(): void {
    if (this.#isEndSent || !this.#isOpen) return
    this.#isEndSent = true
    this.outgoing.send('end')
  }

  /**
   * As the kernel does it for a closed socket: what it has taken is sent, then the end; but where
   * input was left unread, a reset. Whether it was left in the kernel is left to chance.
   */
  close(): void {
    if (!this.#isOpen) return
    if (this.#receivedBytes > 0 && this.connection.random.chance(0.5)) {
      this.abort()
      return
    }
    this.sendEnd()
    this.#release()
  }

  /** Tells the other side by a reset. */
  abort(): void {
    if (!this.#isOpen) return
    this.outgoing.reset()
    this.#release()
  }

  /** As a power failure does it: the other side is told nothing. */
  vanish(): void {
    if (!this.#isOpen) return
    this.outgoing.orphan()
    this.#release()
  }

  /** This side is gone for its own owner too, as if something on the way had reset the connection. */
  breakOff(): void {
    if (!this.#isOpen) return
    this.outgoing.orphan()
    this.#breakWith('reset')
  }

  /** The other side is gone, for its owner too; this one learns it when it sends. */
  loseOtherSide(): void {
    this.#other.breakOff()
  }

  arrived({ kind, bytes }: Segment): void {
    if (!this.#isOpen) {
      this.#other.outgoing.consumed(bytes.length)
      if (kind === 'data') this.outgoing.reset()
      return
    }
    if (kind === 'reset') this.#breakWith('reset')
    else if (kind === 'open') this.onOpen()
    else if (kind === 'end') this.#otherSideEnded = true
    else {
      this.#received.push(bytes)
      this.#receivedBytes += bytes.length
    }
    this.onChange()
  }

  #breakWith(breakage: Breakage): void {
    if (!this.#isOpen) return
    this.#breakage = breakage
    this.#release()
    this.onChange()
  }

  #release(): void {
    this.#isOpen = false
    this.#other.outgoing.consumed(this.#receivedBytes)
    this.#received = []
    this.#receivedBytes = 0
    // Nobody is left for what is held back.
    if (!this.connection.isOpen) this.connection.orphan()
  }

  get #other(): ConnectionEnd {
    const { client, server } = this.connection
    return client === this ? server : client
  }
}

const noBytes = Buffer.alloc(0)

function ignore(): void {
  // An end that nobody owns yet, or no more.
}
