import type { Clock, Platform, Random } from '../../platform/index.ts'
import { createProcessDisk } from './process-disk.ts'
import { createProcessNetwork } from './process-network.ts'
import { createProcessOffload } from './process-offload.ts'
import type { SimulatedProcess } from './process.ts'
import type { World } from './world.ts'

/** The seam as one process sees it. */
export function createProcessPlatform(world: World, process: SimulatedProcess): Platform {
  return {
    clock: createProcessClock(world, process),
    random: createProcessRandom(process),
    network: createProcessNetwork(world, process),
    disk: createProcessDisk(world, process),
    offload: createProcessOffload(process),
  }
}

/** Node's shortest timer. A shorter one would let a loop of timers run without time passing. */
const timerDelayMsMin = 1

function createProcessClock({ scheduler, startTimeMs }: World, process: SimulatedProcess): Clock {
  const startTimer = (delayMs: number, callback: () => void): { cancel(): void } => {
    // The event alone does not know: a paused process keeps it for later, and may cancel it then.
    let isCancelled = false
    const timer = process.later(Math.max(timerDelayMsMin, delayMs), 'clock.timer', () => {
      if (!isCancelled) callback()
    })
    return {
      cancel: () => {
        isCancelled = true
        timer.cancelled = true
      },
    }
  }
  return {
    now: () => {
      process.enter('clock.now')
      return Math.floor(startTimeMs + scheduler.nowMs + process.host.clockOffsetMs)
    },
    elapsedMs: () => {
      process.enter('clock.elapsedMs')
      return scheduler.nowMs
    },
    setTimer: (delayMs, callback) => {
      process.enter('clock.setTimer')
      return startTimer(delayMs, callback)
    },
    sleep: (delayMs, signal) =>
      process.ask('clock.sleep', (resolve, reject) => {
        signal?.throwIfAborted()
        const onAbort = (): void => {
          timer.cancel()
          reject(signal?.reason)
        }
        const timer = startTimer(delayMs, () => {
          signal?.removeEventListener('abort', onAbort)
          resolve(undefined)
        })
        signal?.addEventListener('abort', onAbort, { once: true })
      }),
    defer: (callback) => {
      process.enter('clock.defer')
      process.later(0, 'clock.defer', callback, { isDeferred: true })
    },
  }
}

function createProcessRandom(process: SimulatedProcess): Random {
  const random = process.programRandom
  return {
    bytes: (length) => {
      process.enter('random.bytes')
      return random.bytes(length)
    },
    integer: (bound) => {
      process.enter('random.integer')
      return random.integer(bound)
    },
    fraction: () => {
      process.enter('random.fraction')
      return random.fraction()
    },
  }
}
