import { authenticate } from '../../src/client/connection/sasl/authenticate.ts'
import type { SaslOptions } from '../../src/client/connection/sasl/sasl-options.ts'
import { isMillraceError } from '../../src/errors.ts'
import { createNodePlatform } from '../../src/platform/index.ts'
import type { Platform } from '../../src/platform/index.ts'
import type { Outcome, Sample, Target } from './target.ts'

const world = createNodePlatform()

/** The same nonce each time, so that what was valid stays so; keys that cost nothing. */
const platform: Platform = {
  ...world,
  random: { ...world.random, bytes: (length) => Buffer.alloc(length) },
  offload: {
    ...world.offload,
    deriveKey: ({ keyBytes }) => Promise.resolve(Buffer.alloc(keyBytes)),
  },
}

const nonce = Buffer.alloc(24).toString('base64')
const credentials = { username: 'alice', password: 'wonderland' }
const scram = [`r=${nonce}server,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=4096`, `v=${'A'.repeat(43)}=`]
const reason = ['{"status":"invalid_token","scope":"kafka"}', '']

/** What a broker answers to a client that logs in: two answers, with a NUL between them. */
export function loginTarget(): Target {
  const samples = [
    sample({ mechanism: 'SCRAM-SHA-256', credentials }, scram),
    sample({ mechanism: 'SCRAM-SHA-512', credentials }, scram),
    sample({ mechanism: 'OAUTHBEARER', token: () => ({ value: 'abc' }) }, reason),
    sample({ mechanism: 'OAUTHBEARER', token: () => ({ value: 'abc' }) }, ['', '']),
  ]
  return { name: 'answers to logins', share: 5, samples }
}

function sample(sasl: SaslOptions, answers: readonly string[]): Sample {
  const bytes = Buffer.from(answers.join('\0'))
  return { label: `login with ${sasl.mechanism}`, bytes, read: (input) => logIn(sasl, input) }
}

async function logIn(sasl: SaslOptions, input: Buffer): Promise<Outcome> {
  const end = input.indexOf(0)
  const answers = end < 0 ? [input] : [input.subarray(0, end), input.subarray(end + 1)]
  const exchange = () => {
    const authBytes = answers.shift() ?? Buffer.alloc(0)
    return Promise.resolve({ errorCode: 0, errorMessage: null, authBytes, sessionLifetimeMs: 0 })
  }
  const handshake = () => Promise.resolve()
  try {
    await authenticate({ sasl, encrypted: true, platform, handshake, exchange })
    return 'accepted'
  } catch (error) {
    if (isMillraceError(error, 'MILLRACE_CLIENT_LOGIN_FAILED')) return 'refused'
    throw error
  }
}
