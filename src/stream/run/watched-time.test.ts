import { expect, it } from 'vitest'
import { WatchedTime } from './watched-time.ts'

it('time in which nobody looked does not count', () => {
  let nowMs = 0
  const watched = new WatchedTime({ elapsedMs: () => nowMs })
  for (let look = 0; look < 10; look++) {
    nowMs += 50
    watched.look()
  }
  expect(watched.elapsedMs).toBe(500)
  // The process stood still for an hour.
  nowMs += 3_600_000
  watched.look()
  expect(watched.elapsedMs).toBe(1_500)
})
