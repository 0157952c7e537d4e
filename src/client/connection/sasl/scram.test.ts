import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isMillraceError } from '../../../errors.ts'
import { createNodePlatform } from '../../../platform/index.ts'
import type { Offload, Random } from '../../../platform/index.ts'
import { answered, ScramServer } from './scram-server-fixture.ts'
import { logInScram } from './scram.ts'
import type { ScramMechanism } from './scram.ts'

const world = createNodePlatform()
const mechanisms: readonly ScramMechanism[] = ['SCRAM-SHA-256', 'SCRAM-SHA-512']
const credentials = { username: 'user', password: 'pencil' }
const mechanism = 'SCRAM-SHA-256'

interface Attempt {
  readonly server: Pick<ScramServer, 'exchange'>
  readonly mechanism?: ScramMechanism
  readonly credentials?: { username: string; password: string }
  readonly random?: Random
  readonly offload?: Offload
}

function logIn({ server, random = world.random, offload = world.offload, ...rest }: Attempt) {
  const exchange = server.exchange
  return logInScram({ mechanism, credentials, platform: { random, offload }, exchange, ...rest })
}

async function failure(attempt: Attempt): Promise<string> {
  const problem = await failureOrNone(attempt)
  if (problem === undefined) throw new Error('the login succeeded')
  return problem
}

/** The message of the error that a login ends with; it must be the one for failed logins. */
async function failureOrNone(attempt: Attempt): Promise<string | undefined> {
  try {
    await logIn(attempt)
    return undefined
  } catch (error) {
    if (!isMillraceError(error, 'MILLRACE_CLIENT_LOGIN_FAILED')) throw error
    expect(error.retriable).toBe(false)
    return error.message
  }
}

/** A server that says one thing and then nothing more. */
function saying(text: string | Buffer): Pick<ScramServer, 'exchange'> {
  return { exchange: () => Promise.resolve(answered(Buffer.from(text))) }
}

/** The usual key derivation; where it would take long, noise, which is not what was signed. */
const inReasonableTime: Offload = {
  ...world.offload,
  deriveKey: (options) =>
    options.iterations < 50_000
      ? world.offload.deriveKey(options)
      : Promise.resolve(Buffer.alloc(options.keyBytes)),
}

/** A key derivation that is never the reason why a login fails, and that tells what it was asked. */
function offloadThatCounts() {
  const asked: number[] = []
  const offload: Offload = {
    ...world.offload,
    deriveKey: ({ iterations, keyBytes }) => {
      asked.push(iterations)
      return Promise.resolve(Buffer.alloc(keyBytes))
    },
  }
  return { asked, offload }
}

const anyText = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })

describe('the exchange', () => {
  it('is that of RFC 7677, byte for byte', async () => {
    const clientNonce = 'rOprNGfwEbeRWgbNEkqO'
    const server = new ScramServer({
      mechanism,
      password: 'pencil',
      salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
      nonceSuffix: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    })
    const random = { ...world.random, bytes: () => Buffer.from(clientNonce, 'base64') }
    const { authBytes } = await logIn({ server, random })
    expect(server.received).toEqual([
      'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,' +
        'p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    ])
    expect(authBytes.toString()).toBe('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
  })

  it.each(mechanisms)('of %s proves both sides, for any name and password', async (mechanism) => {
    const property = fc.asyncProperty(anyText, anyText, async (username, password) => {
      const server = new ScramServer({ mechanism, password })
      await logIn({ server, mechanism, credentials: { username, password } })
      expect(server.clientProvedItself).toBe(true)
      const name = username.replaceAll('=', '=3D').replaceAll(',', '=2C')
      expect(server.received[0]?.startsWith(`n,,n=${name},r=`)).toBe(true)
    })
    await fc.assert(property, { seed: 1, numRuns: 40 })
  })

  it('takes passwords as they are, because Kafka does', async () => {
    // What SASLprep would make of it: fish, 1, a space, and nothing for the soft hyphen.
    const password = 'ﬁsh①\u00a0\u00ad'
    const server = new ScramServer({ mechanism, password })
    await logIn({ server, credentials: { username: 'user', password } })
    expect(server.clientProvedItself).toBe(true)
  })

  it('escapes commas and equals signs of names', async () => {
    const server = new ScramServer({ mechanism, password: 'pencil' })
    await logIn({ server, credentials: { username: 'a,b=2C=3D', password: 'pencil' } })
    expect(server.received[0]).toMatch(/^n,,n=a=2Cb=3D2C=3D3D,r=/)
  })

  it('has a new nonce at each login', async () => {
    const nonces = await Promise.all(
      [1, 2].map(async () => {
        const server = new ScramServer({ mechanism, password: 'pencil' })
        await logIn({ server })
        return /r=([^,]+)/.exec(server.received[0] ?? '')?.[1]
      }),
    )
    expect(nonces[0]).toHaveLength(32)
    expect(nonces[0]).not.toBe(nonces[1])
  })

  it('passes over extensions that need not be understood', async () => {
    const changeFinal = (text: string) => `${text},x=new things`
    await logIn({ server: new ScramServer({ mechanism, password: 'pencil', changeFinal }) })
  })
})

describe('a server that does not know the password', () => {
  it.each(mechanisms)('is refused after %s, whatever signature it sends', async (mechanism) => {
    const bytes = mechanism === 'SCRAM-SHA-256' ? 32 : 64
    const property = fc.asyncProperty(
      fc.uint8Array({ minLength: 0, maxLength: 80 }),
      fc.integer({ min: 0, max: bytes * 8 - 1 }),
      async (noise, bit) => {
        const { offload } = offloadThatCounts()
        const made = (changeFinal: (text: string) => string) =>
          failure({
            server: new ScramServer({ mechanism, password: 'another', changeFinal }),
            mechanism,
            offload,
          })
        expect(await made(() => `v=${Buffer.from(noise).toString('base64')}`)).toContain('prove')
        expect(await made((text) => spoilBit(text, bit))).toContain('prove')
      },
    )
    await fc.assert(property, { seed: 2, numRuns: 40 })
  })

  it('is refused for each bit of the signature', async () => {
    for (let bit = 0; bit < 256; bit += 17) {
      const changeFinal = (text: string) => spoilBit(text, bit)
      const server = new ScramServer({ mechanism, password: 'pencil', changeFinal })
      expect(await failure({ server })).toContain('did not prove')
      expect(server.clientProvedItself).toBe(true)
    }
  })
})

function spoilBit(final: string, bit: number): string {
  const signature = Buffer.from(final.slice('v='.length), 'base64')
  signature[bit >> 3] = signature[bit >> 3]! ^ (1 << (bit & 7))
  return `v=${signature.toString('base64')}`
}

describe('a message that was changed on the way', () => {
  it('is noticed, wherever it was changed', async () => {
    const property = fc.asyncProperty(fc.nat(), fc.string({ maxLength: 3 }), async (at, text) => {
      let isChanged = false
      const changeFirst = (first: string) => {
        const place = at % (first.length + 1)
        const changed = first.slice(0, place) + text + first.slice(place + 1)
        isChanged = changed !== first
        return changed
      }
      const server = new ScramServer({ mechanism, password: 'pencil', changeFirst })
      const problem = await failureOrNone({ server, offload: inReasonableTime })
      expect(problem !== undefined).toBe(isChanged)
    })
    await fc.assert(property, { seed: 3, numRuns: 300 })
  })

  it('is noticed by the signature when it is well-formed', async () => {
    for (const change of [
      (first: string) => first.replace(',s=', 'x,s='),
      (first: string) => first.replace('s=M', 's=N'),
      (first: string) => first.replace('i=4096', 'i=4097'),
      (first: string) => `${first},x=1`,
    ]) {
      const server = new ScramServer({ mechanism, password: 'pencil', changeFirst: change })
      expect(await failure({ server })).toContain('did not prove')
    }
  })
})

describe('a nonce', () => {
  it.each([
    ['is another', () => 'r=somebody-else,s=MDEyMw==,i=4096'],
    ['only repeats ours', (first: string) => first.replace('%server', '')],
    ['begins differently', (first: string) => first.replace('r=', 'r=x')],
  ])('that %s is refused, and no proof is sent', async (_how, changeFirst) => {
    const server = new ScramServer({ mechanism, password: 'pencil', changeFirst })
    expect(await failure({ server })).toContain('nonce')
    expect(server.received).toHaveLength(1)
  })
})

describe('iterations', () => {
  it('outside 4096 to 1000000 are refused before they cost anything', async () => {
    const outside = fc.oneof(
      fc.integer({ min: 1, max: 4095 }),
      fc.integer({ min: 1_000_001, max: 999_999_999_999_999 }),
    )
    const property = fc.asyncProperty(outside, async (iterations) => {
      const { asked, offload } = offloadThatCounts()
      const server = new ScramServer({ mechanism, password: 'pencil', iterations })
      const message = await failure({ server, offload })
      expect(message).toContain(`asks for ${iterations} iterations; from 4096 to 1000000`)
      expect(asked).toEqual([])
    })
    await fc.assert(property, { seed: 4, numRuns: 100 })
  })

  it.each([4096, 10_000, 1_000_000])('of %i are taken', async (iterations) => {
    const { asked, offload } = offloadThatCounts()
    // Without a second key derivation by the server, which would take its time.
    const server = new ScramServer({
      mechanism,
      password: 'pencil',
      changeFirst: (first) => first.replace('i=4096', `i=${iterations}`),
    })
    expect(await failure({ server, offload })).toContain('did not prove')
    expect(asked).toEqual([iterations])
  })
})

describe('a first message', () => {
  const first = (rest: string) => (text: string) => `${/^r=[^,]+/.exec(text)?.[0]}${rest}`

  it.each([
    ['an empty salt', first(',s=,i=4096'), 'a salt of 0 bytes'],
    ['a huge salt', first(`,s=${'AAAA'.repeat(342)},i=4096`), 'a salt of 1026 bytes'],
    ['a salt that is not base64', first(',s=MDE,i=4096'), 'not as RFC 5802 has it'],
    ['iterations that are no number', first(',s=MDEyMw==,i=4096x'), 'not as RFC 5802 has it'],
    ['iterations of 0', first(',s=MDEyMw==,i=0'), 'not as RFC 5802 has it'],
    ['negative iterations', first(',s=MDEyMw==,i=-1'), 'not as RFC 5802 has it'],
    ['an extension that must be understood', (t: string) => `m=x,${t}`, 'not as RFC 5802 has it'],
    ['no text', () => '', 'not as RFC 5802 has it'],
    ['too much text', (t: string) => `${t},x=${'x'.repeat(9000)}`, 'not as RFC 5802 has it'],
    ['the last message', () => 'v=AAAA', 'not as RFC 5802 has it'],
    ['an error', () => 'e=other-error', `the server says 'other-error'`],
  ])('with %s is refused', async (_what, changeFirst, problem) => {
    const server = new ScramServer({ mechanism, password: 'pencil', changeFirst })
    expect(await failure({ server })).toContain(problem)
    expect(server.received).toHaveLength(1)
  })

  it('of bytes that are not UTF-8 is refused', async () => {
    expect(await failure({ server: saying(Buffer.from([0x72, 0x3d, 0xff])) })).toContain('3 bytes')
  })
})

describe('a last message', () => {
  it.each([
    ['an error', 'e=invalid-proof', `the server says 'invalid-proof'`],
    ['nothing', '', 'not as RFC 5802 has it'],
    ['no signature', 'x=1', 'not as RFC 5802 has it'],
    ['an empty signature', 'v=', 'did not prove'],
    ['a signature that is not base64', 'v=???', 'not as RFC 5802 has it'],
  ])('with %s is refused', async (_what, final, problem) => {
    const server = new ScramServer({ mechanism, password: 'pencil', changeFinal: () => final })
    expect(await failure({ server })).toContain(problem)
  })
})
