import type {
  Clock,
  ConnectOptions,
  Network,
  Platform,
  Socket,
  SocketHandler,
  Timer,
} from '../../../src/platform/index.ts'

/** The seam of a process, and what its program holds of it: timers, sleeps and sockets. */
export interface WatchedPlatform {
  readonly platform: Platform
  /** What is held now, in words. A program that has closed everything holds nothing. */
  readonly held: () => readonly string[]
}

type Hold = (what: string) => () => void

/** Watches what is taken through the seam and whether it is given back. */
export function watchPlatform(platform: Platform): WatchedPlatform {
  const held = new Map<number, string>()
  let last = 0
  const hold: Hold = (what) => {
    const id = (last += 1)
    held.set(id, what)
    return () => held.delete(id)
  }
  return {
    platform: {
      ...platform,
      clock: watchClock(platform.clock, hold),
      network: watchNetwork(platform.network, hold),
    },
    held: () => [...held.values()],
  }
}

function watchClock(clock: Clock, hold: Hold): Clock {
  return {
    ...clock,
    setTimer(delayMs: number, callback: () => void): Timer {
      const release = hold(`a timer of ${delayMs} ms`)
      const timer = clock.setTimer(delayMs, () => {
        release()
        callback()
      })
      return {
        cancel: () => {
          release()
          timer.cancel()
        },
      }
    },
    sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
      const release = hold(`a sleep of ${delayMs} ms`)
      return clock.sleep(delayMs, signal).finally(release)
    },
  }
}

function watchNetwork(network: Network, hold: Hold): Network {
  return {
    ...network,
    async connect(options: ConnectOptions): Promise<Socket> {
      const where = `${options.host}:${options.port}`
      const isDialled = hold(`a connection to ${where} that is being made`)
      try {
        return watchSocket(await network.connect(options), hold(`a socket to ${where}`))
      } finally {
        isDialled()
      }
    },
  }
}

/** Let go of once its owner has closed it, or it is gone. */
function watchSocket(socket: Socket, release: () => void): Socket {
  return {
    local: socket.local,
    remote: socket.remote,
    peerName: socket.peerName,
    encrypted: socket.encrypted,
    get queuedBytes() {
      return socket.queuedBytes
    },
    start(handler: SocketHandler): void {
      socket.start({
        data: (chunk) => handler.data(chunk),
        drained: () => handler.drained(),
        ended: () => handler.ended(),
        closed: (error) => {
          release()
          handler.closed(error)
        },
      })
    },
    write: (chunks) => socket.write(chunks),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end: () => {
      release()
      socket.end()
    },
    destroy: (error) => {
      release()
      socket.destroy(error)
    },
  }
}
