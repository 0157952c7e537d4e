import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import type { SaslResponse } from './authenticate.ts'
import type { ScramMechanism } from './scram.ts'

export interface ScramServerOptions {
  readonly mechanism: ScramMechanism
  readonly password: string
  readonly salt?: Buffer
  readonly iterations?: number
  readonly nonceSuffix?: string
  /** Changes what goes to the client; the server goes on as if it had not been changed. */
  readonly changeFirst?: (text: string) => string
  readonly changeFinal?: (text: string) => string
}

const hashes = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const

/**
 * A SCRAM server as RFC 5802 has it, for one login. It remembers whether the client proved itself, but
 * goes on either way: what the client refuses, the client has seen by itself.
 */
export class ScramServer {
  readonly received: string[] = []
  clientProvedItself = false
  readonly #options: ScramServerOptions
  #first = ''
  #nonce = ''

  constructor(options: ScramServerOptions) {
    this.#options = options
  }

  readonly exchange = (message: Buffer): Promise<SaslResponse> => {
    const text = message.toString('utf8')
    this.received.push(text)
    const isFirst = this.received.length === 1
    const { changeFirst = same, changeFinal = same } = this.#options
    const answer = isFirst ? changeFirst(this.#answerFirst(text)) : changeFinal(this.#final(text))
    return Promise.resolve(answered(Buffer.from(answer)))
  }

  #answerFirst(text: string): string {
    const { salt = Buffer.from('0123456789abcdef'), iterations = 4096 } = this.#options
    const { nonceSuffix = '%server' } = this.#options
    this.#nonce = (/,r=([^,]+)/.exec(text)?.[1] ?? '') + nonceSuffix
    this.#first = `r=${this.#nonce},s=${salt.toString('base64')},i=${iterations}`
    return this.#first
  }

  #final(text: string): string {
    const { mechanism, password } = this.#options
    const { salt = Buffer.from('0123456789abcdef'), iterations = 4096 } = this.#options
    const hash = hashes[mechanism]
    const hmac = (key: Buffer, signed: string) => createHmac(hash, key).update(signed).digest()
    const withoutProof = text.slice(0, text.lastIndexOf(',p='))
    const signed = `${this.received[0]?.slice('n,,'.length)},${this.#first},${withoutProof}`
    const keyBytes = createHash(hash).digest().length
    const salted = pbkdf2Sync(Buffer.from(password), salt, iterations, keyBytes, hash)
    const clientKey = hmac(salted, 'Client Key')
    const mask = hmac(createHash(hash).update(clientKey).digest(), signed)
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ mask[i]!)).toString('base64')
    this.clientProvedItself = text === `c=biws,r=${this.#nonce},p=${proof}`
    return `v=${hmac(hmac(salted, 'Server Key'), signed).toString('base64')}`
  }
}

const same = (text: string): string => text

/** A response without an error. */
export function answered(authBytes: Buffer, sessionLifetimeMs = 0): SaslResponse {
  return { errorCode: 0, errorMessage: null, authBytes, sessionLifetimeMs }
}
