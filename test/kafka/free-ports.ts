import { createServer } from 'node:net'
import { once } from 'node:events'

/**
 * Ports below the range the system gives to outgoing connections, so that a broker which is killed
 * and started again finds its port still free.
 */
const lowest = 15_000
const highest = 32_000

/** `count` ports on 127.0.0.1 that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest))
    if (!ports.has(port) && (await isFree(port))) ports.add(port)
  }
  return [...ports]
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    return true
  } catch {
    return false
  }
}
