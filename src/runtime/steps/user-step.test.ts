import { describe, expect, it } from 'vitest'
import { ManualClock, settled } from '../../broker/group/fixture/manual-clock.ts'
import { silentLog } from '../../observe/index.ts'
import { FailureDecision } from '../failure/failure-policy.ts'
import { deliveryOf } from '../fixture/delivery.ts'
import type { Outcome, Step, Way } from '../outcome.ts'
import { checkSteps, guardedStep } from './user-step.ts'

const parts = { clock: new ManualClock(), log: silentLog }
const succeed: Way = () => undefined
const failure = new Error('something is wrong')

async function outcomeOf(step: unknown, next: Way): Promise<unknown> {
  const guarded = guardedStep(step as Step, parts)
  try {
    return await guarded(deliveryOf('e-1'), next)
  } catch (error) {
    return error
  }
}

/** A handler that runs until it is told to end. */
function openWay() {
  let end: (outcome?: Outcome) => void = () => undefined
  const way: Way = () => new Promise((resolve) => (end = resolve))
  return { way, end: () => end() }
}

describe('a step of somebody else', () => {
  it('costs no promise, and passes on what it is given', async () => {
    const pass: Step = (delivery, next) => next(delivery)
    expect(guardedStep(pass, parts)(deliveryOf('e-1'), succeed)).toBeUndefined()
    const later = Promise.resolve({ skipped: 'rule' })
    expect(guardedStep(pass, parts)(deliveryOf('e-1'), () => later)).toBe(later)
    const waits: Step = async (delivery, next) => await next(delivery)
    expect(await outcomeOf(waits, () => later)).toEqual({ skipped: 'rule' })
    const thenable = { then: (resolve: (value: undefined) => void) => resolve(undefined) }
    expect(await outcomeOf(() => thenable, succeed)).toBeUndefined()
    expect(await outcomeOf(() => ({ skipped: 'rule' }), succeed)).toEqual({ skipped: 'rule' })
  })

  it('fails the record when it throws, or rejects, before the handler or behind it', async () => {
    const before = () => {
      throw failure
    }
    const behind: Step = async (delivery, next) => {
      await next(delivery)
      throw failure
    }
    expect(await outcomeOf(before, succeed)).toBe(failure)
    expect(await outcomeOf(() => Promise.reject(failure), succeed)).toBe(failure)
    expect(await outcomeOf(behind, () => Promise.resolve(undefined))).toBe(failure)
  })

  it('that calls next twice stops the partition, and runs the handler once', async () => {
    let runs = 0
    function twice(...[delivery, next]: Parameters<Step>) {
      void next(delivery)
      return next(delivery)
    }
    const error = await outcomeOf(twice, () => {
      runs++
      return undefined
    })
    expect(error).toBeInstanceOf(FailureDecision)
    expect(error).toMatchObject({ action: 'stop', message: 'the step twice has called next twice' })
    expect(runs).toBe(1)
  })

  it.each<[string, Step]>([
    ['ends at once', (delivery, next) => void next(delivery)],
    // eslint-disable-next-line @typescript-eslint/require-await
    ['ends by a promise', async (delivery, next) => void next(delivery)],
    ['calls next twice', (delivery, next) => [next(delivery), next(delivery)][0]],
    [
      'throws',
      (delivery, next) => {
        void next(delivery)
        throw failure
      },
    ],
    [
      'rejects',
      (delivery, next) => {
        void next(delivery)
        return Promise.reject(failure)
      },
    ],
  ])('that %s before the handler keeps the key closed until that has ended', async (_, step) => {
    const open = openWay()
    let ended: unknown
    void outcomeOf(step, open.way).then((outcome) => (ended = outcome))
    await settled()
    expect(ended).toBeUndefined()
    open.end()
    await settled()
    expect(ended).toBeInstanceOf(Error)
    if (ended !== failure) expect(ended).toMatchObject({ action: 'stop' })
  })

  it.each([true, 0, 'done', {}, null])('that answers %j stops the partition', async (answer) => {
    const error = await outcomeOf(() => answer, succeed)
    expect(error).toMatchObject({ action: 'stop' })
    expect(String(error)).toContain('a step has answered')
  })

  it('must be a step', () => {
    for (const given of [undefined, null, 'log', {}, { stepFor: true }]) {
      expect(() => checkSteps([given], 'use')).toThrow(/^use \(.*\) must be a step/)
    }
  })
})
