import { NetworkError, type Endpoint, type ListenOptions } from '../../platform/index.ts'
import type { ConnectionEnd } from './connection.ts'
import type { SimulatedProcess } from './process.ts'
import { SimulatedSocket } from './simulated-socket.ts'
import type { Handshake } from './tls-handshake.ts'
import type { World } from './world.ts'

/**
 * A port on which a process listens.
 *
 * States: listening → closed (`close`, or the process has come to its end). Connections that have
 * arrived wait, in the kernel, until the process takes its turn.
 */
export class SimulatedListener {
  readonly process: SimulatedProcess
  readonly local: Endpoint
  readonly options: ListenOptions
  readonly #world: World
  readonly #waiting = new Set<ConnectionEnd>()
  readonly #forgetProcessEnd: () => void
  #isClosed = false

  constructor(world: World, process: SimulatedProcess, local: Endpoint, options: ListenOptions) {
    this.#world = world
    this.process = process
    this.local = local
    this.options = options
    this.#forgetProcessEnd = process.atEnd((end) => this.close(end === 'with its host'))
  }

  get isFull(): boolean {
    return this.#waiting.size >= this.#world.network.conditions.backlog
  }

  /** The client's first segment has arrived. */
  opened(end: ConnectionEnd, handshake: Handshake): void {
    if (this.#isClosed) {
      end.abort()
      return
    }
    this.#waiting.add(end)
    this.process.perform('network.accept', () => {
      if (!this.#waiting.delete(end)) return
      if (handshake.serverRefuses === undefined) this.#accept(end, handshake)
      else this.#refuse(end, handshake.serverRefuses)
    })
  }

  /** Connections that wait are reset; those of a host that loses its power are not even that. */
  close(isSilent = false): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#forgetProcessEnd()
    this.process.host.ports.delete(this.local.port)
    for (const end of this.#waiting) {
      if (isSilent) end.vanish()
      else end.abort()
    }
    this.#waiting.clear()
  }

  #accept(end: ConnectionEnd, handshake: Handshake): void {
    const security = { encrypted: handshake.encrypted, peerName: handshake.clientName }
    this.options.accept(new SimulatedSocket(this.#world, this.process, end, security))
  }

  #refuse(end: ConnectionEnd, why: string): void {
    end.abort()
    const { host, port } = end.remote
    const text = `no TLS connection with ${host}:${port}: ${why}`
    this.options.refused?.(end.remote, new NetworkError('tls', text))
  }
}
