import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  createNodePlatform,
  isDiskError,
  type DiskFile,
  type Listener,
  type Platform,
  type Socket,
} from '../../platform/index.ts'
import { callEcho, echo, handler } from './fixture/echo.ts'
import { createSimulation } from './simulation.ts'

/** What a program that only knows the port must see in both worlds. */
type Program = (platform: Platform, directory: string) => Promise<void>

const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'millrace-worlds-'))
afterAll(() => fs.rmSync(temporary, { recursive: true }))

let directoryCount = 0

async function inTheRealWorld(program: Program): Promise<void> {
  const directory = path.join(temporary, String((directoryCount += 1)))
  const platform = createNodePlatform()
  platform.disk.makeDirectory(directory)
  await program(platform, directory)
}

async function inSimulatedWorlds(program: Program): Promise<void> {
  for (let seed = 0; seed < 20; seed += 1) {
    const simulation = createSimulation({ seed })
    await simulation.runProcess(
      'host',
      'program',
      async (platform) => {
        platform.disk.makeDirectory('/data')
        await program(platform, '/data')
      },
      { withinMs: 600_000 },
    )
  }
}

const worlds = [
  { world: 'the real world', run: inTheRealWorld },
  { world: 'simulated worlds', run: inSimulatedWorlds },
]

const loopback = { host: '127.0.0.1', port: 0 }

/** Listens, connects once, and answers both ends. */
async function connectedPair(
  platform: Platform,
): Promise<{ listener: Listener; client: Socket; server: Socket }> {
  let accept: (socket: Socket) => void = echo
  const accepting = new Promise<Socket>((resolve) => (accept = resolve))
  const listener = await platform.network.listen({ ...loopback, accept })
  const client = await platform.network.connect({ ...listener.local, timeoutMs: 5_000 })
  return { listener, client, server: await accepting }
}

/** Starts a socket and resolves with what it was told, once it is closed. */
function whatHappensTo(
  socket: Socket,
): Promise<{ calls: string[]; bytes: Buffer; error: unknown }> {
  const calls: string[] = []
  const chunks: Buffer[] = []
  return new Promise((resolve) => {
    socket.start({
      data: (chunk) => {
        if (calls.at(-1) !== 'data') calls.push('data')
        chunks.push(chunk)
      },
      drained: () => calls.push('drained'),
      ended: () => calls.push('ended'),
      closed: (error) => {
        calls.push('closed')
        resolve({ calls, bytes: Buffer.concat(chunks), error })
      },
    })
  })
}

function reasonOf(operation: () => unknown): string {
  try {
    operation()
  } catch (error) {
    return isDiskError(error) ? error.reason : String(error)
  }
  return 'none'
}

function contentOf(file: DiskFile): string {
  const target = Buffer.alloc(file.size())
  file.read(target, 0)
  return target.toString()
}

describe.each(worlds)('$world', ({ run }) => {
  it('runs an echo server and its client', async () => {
    await run(async (platform) => {
      const listener = await platform.network.listen({ ...loopback, accept: echo })
      const messages = [Buffer.from('hello '), Buffer.alloc(300_000, 'x'), Buffer.from(' world')]
      const received = await callEcho(platform, listener.local, messages)
      expect(received.equals(Buffer.concat(messages))).toBe(true)
      await listener.close()
      const refused = platform.network.connect({ ...listener.local, timeoutMs: 5_000 })
      await expect(refused).rejects.toMatchObject({ reason: 'refused' })
    })
  })

  it('tells both ends of an orderly end, each call once and in order', async () => {
    await run(async (platform) => {
      const { listener, client, server } = await connectedPair(platform)
      expect(server.local.port).toBe(listener.local.port)
      expect(client.remote).toEqual(listener.local)
      const atServer = whatHappensTo(server)
      const atClient = whatHappensTo(client)
      client.write([Buffer.from('a'), Buffer.from('b')])
      client.write([Buffer.alloc(0), Buffer.from('c')])
      client.end()
      expect(client.write([Buffer.from('dropped')])).toBe(true)
      const { calls, bytes, error } = await atServer
      expect([calls, bytes.toString(), error]).toEqual([
        ['data', 'ended', 'closed'],
        'abc',
        undefined,
      ])
      expect(await atClient).toMatchObject({ calls: ['closed'], error: undefined })
      await listener.close()
    })
  })

  it('sends what was written until the other side is heard to have ended', async () => {
    await run(async (platform) => {
      const { listener, client, server } = await connectedPair(platform)
      server.start(
        handler({
          data: () => server.write([Buffer.alloc(400_000)]),
          ended: () => server.write([Buffer.alloc(5)]),
        }),
      )
      let receivedBytes = 0
      await new Promise<void>((resolve) => {
        client.start(
          handler({
            data: ({ length }) => {
              receivedBytes += length
              if (receivedBytes === 400_000) client.end()
            },
            closed: () => resolve(),
          }),
        )
        client.write([Buffer.from('?')])
      })
      expect(receivedBytes).toBe(400_000)
      await listener.close()
    })
  })

  it('closes with the error it was destroyed with, also when nobody listens yet', async () => {
    await run(async (platform) => {
      const { listener, client, server } = await connectedPair(platform)
      const reason = new Error('of no use')
      client.destroy(reason)
      expect(client.write([Buffer.from('dropped')])).toBe(true)
      expect(await whatHappensTo(client)).toMatchObject({ calls: ['closed'], error: reason })
      const { calls } = await whatHappensTo(server)
      expect(calls.filter((call) => call === 'closed')).toHaveLength(1)
      await listener.close()
    })
  })

  it('tells a writer to wait while its peer is paused, and when to go on', async () => {
    await run(async (platform) => {
      const { listener, client, server } = await connectedPair(platform)
      const chunk = Buffer.alloc(256 * 1024)
      let readBytes = 0
      let writtenBytes = 0
      server.pause()
      await new Promise<void>((resolve) => {
        server.start(handler({ data: ({ length }) => (readBytes += length) }))
        client.start(handler({ drained: resolve }))
        do writtenBytes += chunk.length
        while (client.write([chunk]) && writtenBytes < 1_000 * chunk.length)
        expect(client.queuedBytes).toBeGreaterThanOrEqual(chunk.length)
        expect(readBytes).toBe(0)
        server.resume()
      })
      expect(client.queuedBytes).toBe(0)
      client.end()
      server.destroy()
      await listener.close()
    })
  })

  it('fires timers by their time, then in the order in which they were set', async () => {
    await run(async ({ clock }) => {
      const order: string[] = []
      await new Promise<void>((resolve) => {
        clock.setTimer(40, resolve)
        clock.setTimer(20, () => order.push('late 1'))
        clock.setTimer(20, () => order.push('late 2'))
        clock.setTimer(20, () => order.push('cancelled')).cancel()
        clock.setTimer(1, () => order.push('early'))
        clock.defer(() => order.push('deferred 1'))
        clock.defer(() => order.push('deferred 2'))
        void Promise.resolve().then(() => order.push('promised'))
      })
      const expected = ['promised', 'deferred 1', 'deferred 2', 'early', 'late 1', 'late 2']
      expect(order).toEqual(expected)
      const before = clock.elapsedMs()
      await clock.sleep(10)
      expect(clock.elapsedMs() - before).toBeGreaterThan(9)
      const reason = new Error('enough')
      await expect(clock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason)
    })
  })

  it('reads files as they were written, through every handle', async () => {
    await run(async ({ disk }, directory) => {
      const name = `${directory}/file`
      expect(reasonOf(() => disk.open(name, 'existing'))).toBe('not-found')
      const file = disk.open(name, 'create')
      file.write([Buffer.from('hello '), Buffer.from('world')], 0)
      file.write([Buffer.from('W')], 6)
      const other = disk.open(name, 'existing')
      expect(contentOf(other)).toBe('hello World')
      other.truncate(5)
      file.write([Buffer.from('!')], 7)
      expect(contentOf(file)).toBe('hello\0\0!')
      await file.sync()
      disk.remove(name)
      expect(contentOf(file)).toBe('hello\0\0!')
      expect(disk.status(name)).toBeUndefined()
      file.close()
      file.close()
      expect(() => file.size()).toThrow(`cannot measure ${name}: the file is closed`)
      await expect(file.sync()).rejects.toThrow('the file is closed')
    })
  })

  it('keeps directories, and says why it does not', async () => {
    await run(async ({ disk }, directory) => {
      const at = (name: string): string => `${directory}/${name}`
      disk.makeDirectory(at('a/b'))
      disk.makeDirectory(at('a/b'))
      disk.open(at('z'), 'create').close()
      disk.open(at('y'), 'create').close()
      expect(disk.list(directory)).toEqual(['a', 'y', 'z'])
      disk.rename(at('z'), at('y'))
      disk.rename(at('a'), at('c'))
      expect(disk.list(directory)).toEqual(['c', 'y'])
      expect(disk.status(at('c'))?.kind).toBe('directory')
      expect(disk.status(at('y'))).toEqual({ kind: 'file', size: 0 })
      await disk.syncDirectory(directory)
      expect(reasonOf(() => disk.remove(at('c')))).toBe('exists')
      expect(reasonOf(() => disk.remove(at('nothing')))).toBe('not-found')
      expect(reasonOf(() => disk.rename(at('nothing'), at('y')))).toBe('not-found')
      expect(reasonOf(() => disk.list(at('nothing')))).toBe('not-found')
      expect(reasonOf(() => disk.makeDirectory(at('y')))).toBe('exists')
      expect(reasonOf(() => disk.open(at('c'), 'create'))).toBe('failed')
      expect(reasonOf(() => disk.open(at('nothing/x'), 'create'))).toBe('not-found')
      await expect(disk.syncDirectory(at('nothing'))).rejects.toMatchObject({ reason: 'not-found' })
      expect(() => disk.open(at('nothing'), 'existing')).toThrow(
        `cannot open ${at('nothing')}: no such file or directory`,
      )
    })
  })

  it('gives a lock once', async () => {
    await run(({ disk }, directory) => {
      const lock = disk.lock(`${directory}/lock`)
      expect(disk.lock(`${directory}/lock`)).toBeUndefined()
      lock?.release()
      lock?.release()
      disk.lock(`${directory}/lock`)?.release()
      expect(reasonOf(() => disk.lock(`${directory}/nowhere/lock`))).toBe('not-found')
      return Promise.resolve()
    })
  })

  it('compresses and derives keys, and refuses what it must', async () => {
    await run(async ({ offload }) => {
      const text = Buffer.from('text '.repeat(100))
      const packed = await offload.gzip(text, 6)
      expect((await offload.gunzip(packed, text.length)).equals(text)).toBe(true)
      await expect(offload.gunzip(packed, text.length - 1)).rejects.toThrow()
      const salt = Buffer.from('salt')
      const options = { password: 'p', salt, iterations: 2, keyBytes: 8, hash: 'sha512' } as const
      expect((await offload.deriveKey(options)).toString('hex')).toBe('4faf50e177d676cf')
    })
  })
})
