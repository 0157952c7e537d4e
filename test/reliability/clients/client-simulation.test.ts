/**
 * Promise: in short worlds of every shape, in which everything goes wrong, the library's clients keep all their promises,
 * come to their end, and leave nothing behind. `npm run simulate -- --clients --seeds 10000` sees many more.
 *
 * Proves: 1, 6
 * Command: npm run simulate -- --clients --seeds 10000
 * Figures: simulate --clients
 */
import { describe, expect, it } from 'vitest'
import { simulateClients } from './client-simulation.ts'
import { Tally } from './exercised.ts'
import { shapeCount } from './shape.ts'

describe('the clients in short worlds', () => {
  it('keep their promises, whatever befalls them', { timeout: 120_000 }, async () => {
    const tally = new Tally()
    for (let seed = 1; seed <= shapeCount; seed++)
      tally.add((await simulateClients(seed)).exercised)
    const { faults, cluster, requests, sends, transactions, transformations, groups, fenced } =
      tally.all
    expect(Object.keys(faults ?? {})).toHaveLength(11)
    expect(Object.keys(cluster ?? {})).toHaveLength(9)
    expect(requests?.['answered']).toBeGreaterThan(5_000)
    expect(sends).toMatchObject({
      done: expect.any(Number) as number,
      unknown: expect.any(Number) as number,
      'certainly not done': expect.any(Number) as number,
    })
    expect(transactions?.['done']).toBeGreaterThan(100)
    expect(transformations?.['committed']).toBeGreaterThan(50)
    expect(groups?.['generations']).toBeGreaterThan(50)
    expect(Object.keys(fenced ?? {}).length).toBeGreaterThan(4)
  })

  it('are the same again with the same seed', async () => {
    // A group that transforms, on three nodes.
    const first = await simulateClients(11)
    const lines: string[] = []
    const second = await simulateClients(11, (_atMs, _who, what) => lines.push(what()))
    expect(second.traceHash).toBe(first.traceHash)
    expect(second.history.events).toEqual(first.history.events)
    expect(lines.length).toBeGreaterThan(100)
  })
})
