import type { Random, Socket } from '../../platform/index.ts'
import { apiVersionsApi, saslAuthenticateApi, saslHandshakeApi } from '../../protocol/index.ts'
import { isSaslMechanism, startSaslExchange } from '../security/sasl.ts'
import type { SaslExchange, SaslMechanism } from '../security/sasl.ts'
import type { Users } from '../security/users.ts'

const anonymous = 'User:ANONYMOUS'

/** What Kafka takes of a message before its sender has logged in (`sasl.server.max.receive.size`). */
const bytesBeforeLoginMax = 524_288

/** Keys of the APIs that are answered before a mechanism is chosen, and while it exchanges messages. */
const keysBeforeChoice: ReadonlySet<number> = new Set([saslHandshakeApi.key, apiVersionsApi.key])
const keysOfExchange: ReadonlySet<number> = new Set([saslHandshakeApi.key, saslAuthenticateApi.key])

/** As RFC 4422 has it. What is none is not repeated: reasons are logged. */
const mechanismName = /^[A-Z0-9_-]{1,20}$/

interface SessionOptions {
  readonly socket: Socket
  readonly random: Random
  /** Absent: clients need not authenticate. */
  readonly sasl:
    { readonly users: Users; readonly mechanisms: readonly SaslMechanism[] } | undefined
}

export type SaslAnswer =
  | { readonly kind: 'go-on'; readonly bytes: Buffer }
  | { readonly kind: 'refused'; readonly message: string }

/**
 * Who is at the other end of a connection, and whether that is known.
 *
 * - *open*: no authentication is asked for; the principal comes from the TLS certificate, if any.
 * - *unknown*: SASL is asked for and has not begun; only `keysBeforeChoice` are answered.
 * - *exchanging*: a mechanism was chosen, its messages come and go, wrapped in SaslAuthenticate or,
 *   after SaslHandshake version 0, as bare frames.
 * - *authenticated*: the principal is known.
 * - *refused*: a mechanism was asked for that is not offered, or out of turn, or an exchange has
 *   failed; nothing is answered any more, and the connection is to be closed.
 *
 * unknown → exchanging → authenticated; unknown and exchanging → refused. The others are final.
 */
export class Session {
  readonly #options: SessionOptions
  #state: 'open' | 'unknown' | 'exchanging' | 'authenticated' | 'refused'
  #principal = anonymous
  #exchange: SaslExchange | undefined
  #bareFrames = false
  #refusal: string | undefined

  constructor(options: SessionOptions) {
    this.#options = options
    this.#state = options.sasl === undefined ? 'open' : 'unknown'
    const { peerName } = options.socket
    if (peerName !== undefined) this.#principal = `User:${peerName}`
  }

  /** `User:name`, as Kafka writes it. */
  get principal(): string {
    return this.#principal
  }

  /** The address, as Kafka's tools write it. */
  get clientHost(): string {
    return `/${this.clientAddress}`
  }

  get clientAddress(): string {
    return this.#options.socket.remote.host
  }

  /** Whether the next frame is a message of a SASL mechanism and not a request. */
  get expectsBareFrame(): boolean {
    return this.#bareFrames && this.#state === 'exchanging'
  }

  /** Why the connection is to be closed, once it was refused. */
  get refusal(): string | undefined {
    return this.#refusal
  }

  /** Whether a request of this API may be answered now. */
  allows(apiKey: number): boolean {
    switch (this.#state) {
      case 'open':
      case 'authenticated':
        return true
      case 'unknown':
        return keysBeforeChoice.has(apiKey)
      case 'exchanging':
        return keysOfExchange.has(apiKey)
      case 'refused':
        return false
    }
  }

  /** Why this many bytes of a request are too many to hold for a client that has not logged in. */
  refuseBytes(held: number): string | undefined {
    if (this.#state === 'open' || this.#state === 'authenticated') return undefined
    if (held <= bytesBeforeLoginMax) return undefined
    return `a request of more than ${bytesBeforeLoginMax} bytes before authentication`
  }

  /** The mechanisms that a client may choose; none where authentication is not asked for. */
  get mechanisms(): readonly SaslMechanism[] {
    return this.#options.sasl?.mechanisms ?? []
  }

  /** Chooses a mechanism; answers whether that is possible. */
  handshake(mechanism: string, bareFrames: boolean): 'chosen' | 'unsupported' | 'out-of-order' {
    const { sasl, random } = this.#options
    if (sasl === undefined || this.#state === 'authenticated') return 'out-of-order'
    if (this.#state !== 'unknown') {
      this.#refuse('SaslHandshake came when a mechanism had been chosen')
      return 'out-of-order'
    }
    if (!isSaslMechanism(mechanism) || !sasl.mechanisms.includes(mechanism)) {
      const named = mechanismName.test(mechanism) ? mechanism : 'without a proper name'
      this.#refuse(`SASL mechanism ${named} is not offered (${sasl.mechanisms.join()} are)`)
      return 'unsupported'
    }
    this.#exchange = startSaslExchange(mechanism, sasl.users, random)
    this.#bareFrames = bareFrames
    this.#state = 'exchanging'
    return 'chosen'
  }

  /** Takes one message of the client; undefined when no mechanism is exchanging any. */
  authenticate(message: Buffer): SaslAnswer | undefined {
    if (this.#state !== 'exchanging' || this.#exchange === undefined) return undefined
    const step = this.#exchange(message)
    if (step.kind === 'challenge') return { kind: 'go-on', bytes: step.bytes }
    this.#exchange = undefined
    if (step.kind === 'failure') {
      this.#refuse(step.message)
      return { kind: 'refused', message: step.message }
    }
    this.#principal = `User:${step.user}`
    this.#state = 'authenticated'
    return { kind: 'go-on', bytes: step.bytes }
  }

  #refuse(reason: string): void {
    this.#exchange = undefined
    this.#refusal = reason
    this.#state = 'refused'
  }
}
