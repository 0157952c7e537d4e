import type { Clock } from '../../platform/index.ts'

/** As many turns are asked for at once; then the real world gets a turn too. */
const turnsAtOnce = 64

/**
 * Calls `step` once a turn until it answers false; a number lets the real world have so many milliseconds first. Between two turns Node runs everything that was
 * promised: it drains its tick and microtask queues between two callbacks of `setImmediate`, which
 * is what `Clock.defer` is in the real world, however deep the chains of promises are.
 *
 * A turn costs about 0.2 µs when many are asked for at once, a fifth of asking one by one (each
 * would wait for a poll of the system) and a third of a message port. Waiting for a chain of
 * resolved promises instead would need to know the depth of the longest chain of the program.
 */
export function takeTurns(clock: Clock, step: () => boolean | number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail: (error: unknown) => void = reject
    let isOver = false
    let isResting = false
    const turn = (): void => {
      if (isOver || isResting) return
      try {
        const answer = step()
        if (typeof answer === 'number') {
          isResting = true
          void clock.sleep(answer).then(goOn)
          return
        }
        if (answer) return
        isOver = true
        resolve()
      } catch (error) {
        isOver = true
        fail(error)
      }
    }
    const goOn = (): void => {
      isResting = false
      askForTurns()
    }
    const askForTurns = (): void => {
      if (isOver || isResting) return
      for (let count = 1; count < turnsAtOnce; count += 1) clock.defer(turn)
      clock.defer(() => {
        turn()
        askForTurns()
      })
    }
    askForTurns()
  })
}
