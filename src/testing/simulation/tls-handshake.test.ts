import fs from 'node:fs'
import { describe, expect, it } from 'vitest'
import { shakeHands } from './tls-handshake.ts'

function fixture(name: string): string {
  return fs.readFileSync(new URL(`../../platform/fixture/${name}`, import.meta.url), 'utf8')
}

const authorities = [fixture('authority.pem')]
const client = { authorities, serverName: 'broker.test' }
const server = {
  certificate: fixture('server.pem'),
  privateKey: fixture('server.key'),
  authorities,
  clientCertificate: 'none',
} as const

describe('a simulated TLS handshake', () => {
  it('names the verified peers as the real world does', () => {
    const known = { ...client, certificate: fixture('client.pem') }
    for (const clientCertificate of ['required', 'requested'] as const) {
      expect(shakeHands(known, { ...server, clientCertificate })).toEqual({
        encrypted: true,
        clientName: 'OU=a\\+b+CN=shipping service,O=Order\\, Payments,C=CH',
        serverName: 'CN=localhost',
        clientRefuses: undefined,
        serverRefuses: undefined,
      })
    }
    expect(shakeHands(known, server).clientName).toBeUndefined()
  })

  it('refuses clients that show nothing, or something unknown, when it must', () => {
    const stranger = { ...client, certificate: fixture('stranger.pem') }
    for (const options of [client, stranger]) {
      const required = shakeHands(options, { ...server, clientCertificate: 'required' })
      expect(required).toMatchObject({ clientName: undefined, clientRefuses: undefined })
      expect(required.serverRefuses).toBe('its certificate is not accepted')
      const requested = shakeHands(options, { ...server, clientCertificate: 'requested' })
      expect(requested).toMatchObject({ clientName: undefined, serverRefuses: undefined })
    }
  })

  it('checks the server: who signed, and for which name', () => {
    const refusal = (options: object): string | undefined =>
      shakeHands({ ...client, ...options }, server).clientRefuses
    expect(refusal({})).toBeUndefined()
    expect(refusal({ serverName: '127.0.0.1' })).toBeUndefined()
    expect(refusal({ serverName: '127.0.0.2' })).toContain('not valid for 127.0.0.2')
    expect(refusal({ serverName: 'elsewhere.test' })).toContain('not valid for elsewhere.test')
    expect(refusal({ authorities: [fixture('stranger.pem')] })).toContain('signed by nobody')
  })

  it('fails when only one side speaks TLS', () => {
    expect(shakeHands(client, undefined).clientRefuses).toBe('the other side does not speak TLS')
    expect(shakeHands(undefined, server).serverRefuses).toBe('it does not speak TLS')
    expect(shakeHands(undefined, undefined)).toMatchObject({ encrypted: false })
  })
})
