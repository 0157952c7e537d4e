import fs from 'node:fs'
import net from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { ignore, recorded } from './fixture/recording-handler.ts'
import { isNetworkError } from './network-error.ts'
import { nodeNetwork } from './node-network.ts'
import type { Endpoint, Listener, Socket, TlsServerOptions } from './platform.ts'

/** Made once with openssl, valid from 2020 to 2120; see the README of this folder. */
function fixture(name: string): string {
  return fs.readFileSync(new URL(`fixture/${name}`, import.meta.url), 'utf8')
}

const authorities = [fixture('authority.pem')]
const serverTls = { certificate: fixture('server.pem'), privateKey: fixture('server.key') }
const clientTls = {
  authorities,
  serverName: 'broker.test',
  certificate: fixture('client.pem'),
  privateKey: fixture('client-encrypted.key'),
  passphrase: 'secret',
}
const strangerTls = {
  authorities,
  serverName: 'broker.test',
  certificate: fixture('stranger.pem'),
  privateKey: fixture('stranger.key'),
}
const anonymousTls = { authorities, serverName: 'broker.test' }

const open: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

interface World {
  readonly listener: Listener
  /** The next connection that is accepted or refused. */
  next(): Promise<Socket | { remote: Endpoint; error: Error }>
}

async function listening(clientCertificate: TlsServerOptions['clientCertificate']): Promise<World> {
  const outcomes: (Socket | { remote: Endpoint; error: Error })[] = []
  let wake = ignore
  const note = (outcome: Socket | { remote: Endpoint; error: Error }): void => {
    outcomes.push(outcome)
    wake()
  }
  const listener = await nodeNetwork.listen({
    host: '127.0.0.1',
    port: 0,
    tls: { ...serverTls, authorities, clientCertificate },
    accept: (socket) => {
      open.push(() => socket.destroy())
      note(socket)
    },
    refused: (remote, error) => note({ remote, error }),
  })
  open.push(() => listener.close())
  const next = async (): Promise<Socket | { remote: Endpoint; error: Error }> => {
    const outcome = outcomes.shift()
    if (outcome !== undefined) return outcome
    await new Promise<void>((resolve) => (wake = resolve))
    return await next()
  }
  return { listener, next }
}

async function accepted(world: World): Promise<Socket> {
  const outcome = await world.next()
  if ('error' in outcome) throw outcome.error
  return outcome
}

async function connected({ listener }: World, tls: typeof anonymousTls): Promise<Socket> {
  const socket = await nodeNetwork.connect({ ...listener.local, tls, timeoutMs: 5_000 })
  open.push(() => socket.destroy())
  return socket
}

describe('TLS on this machine', () => {
  it('carries bytes both ways and ends in order', async () => {
    const world = await listening('none')
    const client = await connected(world, anonymousTls)
    const server = await accepted(world)
    const clientHandler = recorded(client)
    server.start({
      data: (chunk) => server.write([chunk, chunk]),
      drained: ignore,
      ended: () => server.write([Buffer.from('bye')]),
      closed: ignore,
    })
    expect([client.encrypted, server.encrypted]).toEqual([true, true])
    client.write([Buffer.from('he'), Buffer.from('llo')])
    await clientHandler.untilReceived(10)
    client.end()
    await clientHandler.until('closed')
    expect(clientHandler.errors).toEqual([])
    expect(clientHandler.received.toString().replaceAll('hello', 'x')).toBe('xx')
  })

  it('names the verified peer, each side the other', async () => {
    for (const clientCertificate of ['required', 'requested'] as const) {
      const world = await listening(clientCertificate)
      const client = await connected(world, clientTls)
      const server = await accepted(world)
      expect(client.peerName).toBe('CN=localhost')
      expect(server.peerName).toBe('OU=a\\+b+CN=shipping service,O=Order\\, Payments,C=CH')
    }
  })

  it('accepts but does not name who shows nothing, or something unknown, when it may', async () => {
    const world = await listening('requested')
    for (const tls of [anonymousTls, strangerTls]) {
      await connected(world, tls)
      expect((await accepted(world)).peerName).toBeUndefined()
    }
  })

  it('refuses who shows nothing, or something unknown, when it must', async () => {
    const world = await listening('required')
    const cases = [
      { tls: anonymousTls, text: /peer did not return a certificate/, told: ['tls'] },
      { tls: strangerTls, text: /its certificate is not accepted \(UNABLE_TO_/, told: [] },
    ]
    for (const { tls, text, told } of cases) {
      // TLS 1.3 tells the client only after it believes to be connected.
      const client = await connected(world, tls)
      const handler = recorded(client)
      const outcome = await world.next()
      expect(outcome).toMatchObject({
        error: { reason: 'tls', message: expect.stringMatching(text) as string },
      })
      expect(outcome.remote).toEqual(client.local)
      await handler.until('closed')
      expect(handler.errors.map((error) => isNetworkError(error) && error.reason)).toEqual(told)
      expect(handler.calls.filter((call) => call === 'closed')).toHaveLength(1)
    }
  })

  it('checks the name in the certificate, also when it is an address', async () => {
    const world = await listening('none')
    const wrong = connected(world, { authorities, serverName: 'elsewhere.test' })
    await expect(wrong).rejects.toMatchObject({ reason: 'tls' })
    await expect(wrong).rejects.toThrow('elsewhere.test')
    const unknown = connected(world, {
      authorities: [fixture('stranger.pem')],
      serverName: 'broker.test',
    })
    await expect(unknown).rejects.toMatchObject({ reason: 'tls' })
    const wrongAddress = connected(world, { authorities, serverName: '127.0.0.2' })
    await expect(wrongAddress).rejects.toMatchObject({ reason: 'tls' })
    const address = await connected(world, { authorities, serverName: '127.0.0.1' })
    expect(address.encrypted).toBe(true)
  })

  it('tells who spoke something else', async () => {
    const world = await listening('none')
    const raw = net.connect(world.listener.local, () => raw.write('not TLS at all, surely'))
    raw.on('error', ignore)
    open.push(() => {
      raw.destroy()
    })
    const outcome = await world.next()
    expect(outcome).toMatchObject({ error: { reason: 'tls' } })
    expect((outcome as { error: Error }).error.message).toContain(
      'no TLS connection with 127.0.0.1:',
    )
  })

  it('rejects certificates that cannot be read', async () => {
    const listener = nodeNetwork.listen({
      host: '127.0.0.1',
      port: 0,
      tls: { certificate: 'no certificate', privateKey: 'no key', clientCertificate: 'none' },
      accept: ignore,
    })
    await expect(listener).rejects.toThrow('cannot listen on 127.0.0.1:0: ')
    const world = await listening('none')
    const wrongKey = connected(world, { ...clientTls, passphrase: 'wrong' } as never)
    await expect(wrongKey).rejects.toThrow('cannot connect to ')
  })
})
