import type { Clock, Random, Socket } from '../../platform/index.ts'
import { apiVersionsApi, saslAuthenticateApi, saslHandshakeApi } from '../../protocol/index.ts'
import type { Logins } from '../security/logins.ts'
import { isSaslMechanism } from '../security/sasl.ts'
import type { SaslExchange, SaslMechanism, SaslStep } from '../security/sasl.ts'

const anonymous = 'User:ANONYMOUS'

/** What Kafka takes of a message before its sender has logged in (`sasl.server.max.receive.size`). */
const bytesBeforeLoginMax = 524_288

/** Keys of the APIs that are answered before a mechanism is chosen, and while it exchanges messages. */
const keysBeforeChoice: ReadonlySet<number> = new Set([saslHandshakeApi.key, apiVersionsApi.key])
const keysOfExchange: ReadonlySet<number> = new Set([saslHandshakeApi.key, saslAuthenticateApi.key])

/** A client that logs in again and again would keep the process busy with its passwords. */
const betweenLoginsMsMin = 1_000

/** As RFC 4422 has it. What is none is not repeated: reasons are logged. */
const mechanismName = /^[A-Z0-9_-]{1,20}$/

interface SessionOptions {
  readonly socket: Socket
  readonly random: Random
  readonly clock: Clock
  /** The user that the client's certificate names; absent where there is none. */
  readonly certificateUser?: string | undefined
  /** Absent: clients need not authenticate. */
  readonly logins: Logins | undefined
}

export type SaslAnswer =
  | {
      readonly kind: 'go-on'
      readonly bytes: Buffer
      /** Within what time the client must log in again; 0: never, or not logged in yet. */
      readonly sessionLifetimeMs: number
    }
  | { readonly kind: 'refused'; readonly message: string }

/** Who had logged in when a client began to log in again. */
interface EarlierLogin {
  readonly principal: string
  readonly mechanism: SaslMechanism
}

/**
 * Who is at the other end of a connection, and whether that is known.
 *
 * - *open*: no authentication is asked for; the principal comes from the TLS certificate, if any.
 * - *unknown*: SASL is asked for and has not begun; only `keysBeforeChoice` are answered.
 * - *exchanging*: a mechanism was chosen, its messages come and go, wrapped in SaslAuthenticate or,
 *   after SaslHandshake version 0, as bare frames.
 * - *authenticated*: the principal is known. Where logins expire (KIP-368), with a token or after
 *   `connections.max.reauth.ms`, the client may choose its mechanism again, and must do so before it
 *   asks anything else once the time is over.
 * - *refused*: a mechanism was asked for that is not offered, or out of turn, or an exchange has
 *   failed; nothing is answered any more, and the connection is to be closed.
 *
 * unknown → exchanging → authenticated; unknown and exchanging → refused; authenticated → exchanging,
 * where logins expire: the mechanism and the principal must be the same again. The others are final.
 */
export class Session {
  readonly #options: SessionOptions
  #state: 'open' | 'unknown' | 'exchanging' | 'authenticated' | 'refused'
  #principal = anonymous
  #exchange: SaslExchange | undefined
  #mechanism: SaslMechanism | undefined
  #earlier: EarlierLogin | undefined
  /** On the clock that never steps back. */
  #expiresAtMs: number | undefined
  #lastLoginMs = Number.NEGATIVE_INFINITY
  #bareFrames = false
  #refusal: string | undefined
  readonly #endListeners = new Set<() => void>()

  constructor(options: SessionOptions) {
    this.#options = options
    this.#state = options.logins === undefined ? 'open' : 'unknown'
    const { certificateUser } = options
    if (certificateUser !== undefined) this.#principal = `User:${certificateUser}`
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

  /** Calls `listener` when the connection has ended. Answers a function that takes it back. */
  onEnd(listener: () => void): () => void {
    this.#endListeners.add(listener)
    return () => this.#endListeners.delete(listener)
  }

  /** The connection has ended. */
  end(): void {
    for (const listener of [...this.#endListeners]) listener()
    this.#endListeners.clear()
  }

  /** Why a request of this API must not be answered now. */
  refuseRequest(apiKey: number): string | undefined {
    switch (this.#state) {
      case 'open':
        return undefined
      case 'authenticated':
        if (apiKey === saslHandshakeApi.key || !this.#isExpired) return undefined
        return 'after the login has expired'
      case 'unknown':
        return keysBeforeChoice.has(apiKey) ? undefined : 'before authentication'
      case 'exchanging':
        return keysOfExchange.has(apiKey) ? undefined : 'before authentication'
      case 'refused':
        return 'after a login was refused'
    }
  }

  get #isExpired(): boolean {
    return this.#expiresAtMs !== undefined && this.#options.clock.elapsedMs() >= this.#expiresAtMs
  }

  /** Why this many bytes of a request are too many to hold for a client that has not logged in. */
  refuseBytes(held: number): string | undefined {
    if (this.#state === 'open' || this.#state === 'authenticated') return undefined
    if (held <= bytesBeforeLoginMax) return undefined
    return `a request of more than ${bytesBeforeLoginMax} bytes before authentication`
  }

  /** The mechanisms that a client may choose; none where authentication is not asked for. */
  get mechanisms(): readonly SaslMechanism[] {
    return this.#options.logins?.mechanisms ?? []
  }

  /** Chooses a mechanism; answers whether that is possible. */
  handshake(mechanism: string, bareFrames: boolean): 'chosen' | 'unsupported' | 'out-of-order' {
    const { logins, random } = this.#options
    if (logins === undefined) return 'out-of-order'
    if (this.#state === 'authenticated' && !this.#beginAgain()) return 'out-of-order'
    if (this.#state !== 'unknown') {
      this.#refuse('SaslHandshake came when a mechanism had been chosen')
      return 'out-of-order'
    }
    if (!isSaslMechanism(mechanism) || !logins.mechanisms.includes(mechanism)) {
      const named = mechanismName.test(mechanism) ? mechanism : 'without a proper name'
      this.#refuse(`SASL mechanism ${named} is not offered (${logins.mechanisms.join()} are)`)
      return 'unsupported'
    }
    const isOther = this.#earlier !== undefined && this.#earlier.mechanism !== mechanism
    this.#exchange = isOther ? refuseOtherMechanism : logins.startExchange(mechanism, random)
    this.#mechanism = mechanism
    this.#bareFrames = bareFrames
    this.#state = 'exchanging'
    return 'chosen'
  }

  /** Takes one message of the client; undefined when no mechanism is exchanging any. */
  authenticate(message: Buffer): SaslAnswer | undefined {
    if (this.#state !== 'exchanging' || this.#exchange === undefined) return undefined
    const step = this.#exchange(message)
    if (step.kind === 'challenge') {
      return { kind: 'go-on', bytes: step.bytes, sessionLifetimeMs: 0 }
    }
    this.#exchange = undefined
    if (step.kind === 'failure') return this.#refuseLogin(step.message, step.reason)
    const principal = `User:${step.user}`
    if (this.#earlier !== undefined && this.#earlier.principal !== principal) {
      return this.#refuseLogin('another user logged in again on the connection')
    }
    this.#principal = principal
    this.#state = 'authenticated'
    const sessionLifetimeMs = this.#beginLifetime(step.expiresAtMs)
    return { kind: 'go-on', bytes: step.bytes, sessionLifetimeMs }
  }

  /** Whether who has logged in may do so again: where the login expires, and not at every moment. */
  #beginAgain(): boolean {
    if (this.#expiresAtMs === undefined || this.#mechanism === undefined) return false
    const nowMs = this.#options.clock.elapsedMs()
    if (nowMs - this.#lastLoginMs < betweenLoginsMsMin) return false
    this.#lastLoginMs = nowMs
    this.#earlier = { principal: this.#principal, mechanism: this.#mechanism }
    this.#state = 'unknown'
    return true
  }

  /** Answers how long the login counts; 0 where it does not end. */
  #beginLifetime(expiresAtMs: number | undefined): number {
    const { clock, logins } = this.#options
    const lifetimes = [
      ...(expiresAtMs === undefined ? [] : [expiresAtMs - clock.now()]),
      ...(logins !== undefined && logins.lifetimeMsMax() > 0 ? [logins.lifetimeMsMax()] : []),
    ]
    if (lifetimes.length === 0) return 0
    const lifetimeMs = Math.max(0, Math.min(...lifetimes))
    this.#expiresAtMs = clock.elapsedMs() + lifetimeMs
    return lifetimeMs
  }

  #refuseLogin(message: string, reason = message): SaslAnswer {
    this.#refuse(reason)
    return { kind: 'refused', message }
  }

  #refuse(reason: string): void {
    this.#exchange = undefined
    this.#refusal = reason
    this.#state = 'refused'
  }
}

function refuseOtherMechanism(): SaslStep {
  return { kind: 'failure', message: 'a login can only be repeated with the same SASL mechanism' }
}
