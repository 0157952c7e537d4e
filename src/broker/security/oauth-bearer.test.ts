import { describe, expect, it } from 'vitest'
import { oauthBearerExchange } from './oauth-bearer.ts'
import {
  curvePair,
  curvePublicPem,
  rsaPair,
  rsaPublicPem,
  secret,
  signToken,
} from './token-fixture.ts'
import { TokenVerifier } from './token-verifier.ts'
import type { OAuthOptions } from './token-verifier.ts'

const nowMs = 1_700_000_000_000
const now = nowMs / 1000
const claims = { sub: 'alice', iat: now - 10, exp: now + 60 }
const allKeys = { publicKeys: [rsaPublicPem, curvePublicPem], secrets: [secret] }

function verify(token: string, options: OAuthOptions = allKeys) {
  return new TokenVerifier(options, { now: () => nowMs }).verify(token)
}

function jwks(...keys: readonly object[]): OAuthOptions {
  return { jwks: JSON.stringify({ keys }) }
}

const jwkOf = (pair: typeof rsaPair) => pair.publicKey.export({ format: 'jwk' })

describe('a token', () => {
  const alice = { user: 'alice', expiresAtMs: nowMs + 60_000 }

  it.each([
    ['RS256', rsaPair.privateKey],
    ['RS512', rsaPair.privateKey],
    ['ES256', curvePair.privateKey],
    ['HS256', secret],
    ['HS512', secret],
  ] as const)('that is signed with %s is believed', (algorithm, key) => {
    expect(verify(signToken(algorithm, key, claims))).toEqual(alice)
  })

  it('is checked with the key that it names, of a document with several', () => {
    const document = jwks(
      { ...jwkOf(curvePair), kid: 'curve', alg: 'ES256', use: 'sig' },
      { ...jwkOf(rsaPair), kid: 'rsa' },
      { kty: 'OKP', crv: 'Ed25519', x: 'unknown kinds are passed over' },
      { ...jwkOf(rsaPair), kid: 'for-secrets', use: 'enc' },
    )
    const token = (kid: string) => signToken('RS256', rsaPair.privateKey, claims, { kid })
    expect(verify(token('rsa'), document)).toEqual(alice)
    expect(verify(token('curve'), document)).toHaveProperty('problem')
    expect(verify(token('for-secrets'), document)).toHaveProperty('problem')
    const ofCurve = signToken('ES256', curvePair.privateKey, claims, { kid: 'curve' })
    expect(verify(ofCurve, document)).toEqual(alice)
  })

  it('is not believed without a signature, or with one by another key', () => {
    const [header, body] = signToken('RS256', rsaPair.privateKey, claims).split('.')
    for (const token of [
      signToken('none', secret, claims),
      `${header}.${body}.`,
      `${header}.${body}`,
      `${header}.${body}.AAAA`,
      `${header}.${body}.AAAA.more`,
      'nonsense',
      '',
      // The public key, which everybody may have, as if it were a secret.
      signToken('HS256', rsaPublicPem, claims),
      signToken('HS256', `${secret}!`, claims),
      signToken('RS256', rsaPair.privateKey, claims, { crit: ['b64'], b64: false }),
    ]) {
      expect(verify(token)).toHaveProperty('problem')
    }
    const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'root' })).toString('base64url')
    const [, , signature] = signToken('RS256', rsaPair.privateKey, claims).split('.')
    expect(verify(`${header}.${changed}.${signature}`)).toHaveProperty('problem')
  })

  it.each([
    ['that has expired', { exp: now - 31 }, /expired/],
    ['that does not expire', { exp: undefined }, /when it expires/],
    ['whose expiry is no number', { exp: 'tomorrow' }, /when it expires/],
    ['without the time of its issue', { iat: undefined }, /issued/],
    ['that counts later', { nbf: now + 31 }, /count yet/],
    ['that names nobody', { sub: undefined }, /names nobody/],
    ['whose user is blank', { sub: '  ' }, /names nobody/],
    ['whose user is no text', { sub: 1 }, /names nobody/],
  ])('%s is refused', (_what, changes, problem) => {
    const token = signToken('HS256', secret, { ...claims, ...changes })
    expect(verify(token)).toEqual({ problem: expect.stringMatching(problem) as string })
  })

  it('may be late or early by as much as clocks may differ', () => {
    const late = signToken('HS256', secret, { ...claims, exp: now - 29 })
    expect(verify(late)).toMatchObject({ user: 'alice' })
    const early = signToken('HS256', secret, { ...claims, nbf: now + 29 })
    expect(verify(early)).toMatchObject({ user: 'alice' })
    expect(verify(late, { ...allKeys, clockSkewMs: 0 })).toHaveProperty('problem')
  })

  it('must be of the issuer and for the audience that were asked for', () => {
    const options = { ...allKeys, issuer: 'https://issuer', audience: ['kafka', 'other'] }
    const ask = (changes: object) =>
      verify(signToken('HS256', secret, { ...claims, ...changes }), options)
    expect(ask({ iss: 'https://issuer', aud: 'kafka' })).toMatchObject({ user: 'alice' })
    expect(ask({ iss: 'https://issuer', aud: ['x', 'other'] })).toMatchObject({ user: 'alice' })
    expect(ask({ iss: 'https://issuer', aud: 'x' })).toHaveProperty('problem')
    expect(ask({ iss: 'https://issuer' })).toHaveProperty('problem')
    expect(ask({ iss: 'https://issuer/', aud: 'kafka' })).toHaveProperty('problem')
    expect(ask({ aud: 'kafka' })).toHaveProperty('problem')
  })

  it('names its user in the claim that was asked for', () => {
    const token = signToken('HS256', secret, { ...claims, client_id: 'service' })
    const named = verify(token, { ...allKeys, principalClaim: 'client_id' })
    expect(named).toMatchObject({ user: 'service' })
  })

  it.each([
    [{}, /needs a key/],
    [{ secrets: ['short'] }, /oauth\.secrets\[0\].*32 bytes/],
    [{ publicKeys: ['no PEM'] }, /oauth\.publicKeys\[0\] cannot be read/],
    [{ jwks: 'no JSON' }, /oauth\.jwks cannot be read/],
    [{ jwks: '{}' }, /oauth\.jwks must be/],
    [{ ...allKeys, clockSkewMs: -1 }, /clockSkewMs/],
  ] as const)('cannot be checked with %j', (options, message) => {
    expect(() => verify('', options)).toThrow(message)
  })
})

describe('OAUTHBEARER', () => {
  const tokens = new TokenVerifier(allKeys, { now: () => nowMs })
  const good = signToken('HS256', secret, claims)
  const start = () => oauthBearerExchange(tokens)
  const first = (token: string, authorization = '', more = '') =>
    Buffer.from(`n,${authorization},\x01auth=Bearer ${token}\x01${more}\x01`)

  it('lets in who has a good token', () => {
    const success = { kind: 'success', user: 'alice', expiresAtMs: nowMs + 60_000 }
    expect(start()(first(good))).toMatchObject(success)
    expect(start()(first(good, 'a=alice'))).toMatchObject(success)
    expect(start()(first(good, '', 'traceId=1\x01'))).toMatchObject(success)
  })

  it('tells who has a bad one with a challenge, and ends after the answer to it', () => {
    const exchange = start()
    const step = exchange(first('bad'))
    expect(step).toEqual({ kind: 'challenge', bytes: Buffer.from('{"status":"invalid_token"}') })
    expect(exchange(Buffer.from('\x01'))).toMatchObject({
      kind: 'failure',
      reason: expect.stringMatching(/not a signed/) as string,
    })
  })

  it('does not let a good token come after a bad one', () => {
    const exchange = start()
    exchange(first('bad'))
    expect(exchange(first(good))).toMatchObject({ kind: 'failure' })
  })

  it.each([
    ['another user', first(good, 'a=root')],
    ['no token', Buffer.from('n,,\x01\x01')],
    ['two tokens', first(good, '', `auth=Bearer ${good}\x01`)],
    ['another scheme', Buffer.from(`n,,\x01auth=Basic ${good}\x01\x01`)],
    ['a binding to the channel', Buffer.from(`p=tls-unique,,\x01auth=Bearer ${good}\x01\x01`)],
    ['no end', Buffer.from(`n,,\x01auth=Bearer ${good}\x01`)],
    ['nothing', Buffer.alloc(0)],
  ])('refuses a message with %s', (_what, message) => {
    expect(start()(message)).toMatchObject({ kind: 'failure' })
  })
})
