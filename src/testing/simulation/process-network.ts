import {
  NetworkError,
  type ConnectOptions,
  type Endpoint,
  type Listener,
  type ListenOptions,
  type Network,
  type Socket,
} from '../../platform/index.ts'
import { dial } from './dial.ts'
import { SimulatedListener } from './listener.ts'
import type { SimulatedProcess } from './process.ts'
import type { World } from './world.ts'

/** The network as one process sees it. */
export function createProcessNetwork(world: World, process: SimulatedProcess): Network {
  return {
    connect: (options: ConnectOptions): Promise<Socket> =>
      process.ask('network.connect', (resolve, reject) => {
        dial(world, process, options, resolve, reject)
      }),
    listen: (options: ListenOptions): Promise<Listener> =>
      process.ask('network.listen', (resolve) => {
        const listener = listen(world, process, options)
        process.later(0, 'network.listening', () => resolve(handle(process, listener)))
      }),
  }
}

function handle(process: SimulatedProcess, listener: SimulatedListener): Listener {
  return {
    local: listener.local,
    close: () =>
      process.ask('listener.close', (resolve) => {
        listener.close()
        resolve(undefined)
      }),
  }
}

function listen(
  world: World,
  process: SimulatedProcess,
  options: ListenOptions,
): SimulatedListener {
  const { host } = process
  const failed = `cannot listen on ${options.host}:${options.port}`
  if (!host.hasAddress(options.host)) {
    const text = `${failed}: this machine has no such address`
    throw new NetworkError('address-not-available', text)
  }
  const port = options.port === 0 ? host.freePort() : options.port
  if (host.ports.has(port)) {
    throw new NetworkError('address-in-use', `${failed}: another process listens there`)
  }
  const local: Endpoint = { host: options.host, port }
  const listener = new SimulatedListener(world, process, local, options)
  host.ports.set(port, listener)
  return listener
}
