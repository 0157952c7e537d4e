import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Bag } from './bag.ts'

it('has what was put in and not taken out, whichever goes first', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.boolean()), { maxLength: 100 })
  fc.assert(
    fc.property(steps, (history) => {
      const things = Array.from({ length: 10 }, (_, number) => ({ number, place: 0 }))
      const bag = new Bag<(typeof things)[number]>()
      const model = new Set<(typeof things)[number]>()
      for (const [number, isAdded] of history) {
        const thing = things[number] ?? expect.fail('there are ten things')
        if (isAdded) bag.add(thing)
        else bag.delete(thing)
        if (isAdded) model.add(thing)
        else model.delete(thing)
        expect(bag.size).toBe(model.size)
        expect(things.filter((each) => bag.has(each))).toEqual(
          things.filter((each) => model.has(each)),
        )
      }
      expect(new Set(bag)).toEqual(model)
    }),
    { seed: 7 },
  )
})

it('is looked through as it was, whatever goes meanwhile', () => {
  const things = [1, 2, 3].map((number) => ({ number, place: 0 }))
  const bag = new Bag<(typeof things)[number]>()
  for (const thing of things) bag.add(thing)
  const seen: number[] = []
  for (const thing of bag) {
    seen.push(thing.number)
    bag.delete(thing)
  }
  expect([seen, bag.size]).toEqual([[1, 2, 3], 0])
})
