/**
 * Promise: on any Kafka what a handler sends under exactly-once is there once, and only if its record has ended.
 *
 * Proves: 6
 */
import { expect } from 'vitest'
import { FailureDecision } from '../../src/runtime/index.ts'
import type { ConsumerOptions } from '../../src/runtime/index.ts'
import { inBothProtocols, runtimeConformance, soonest, until } from './runtime-world.ts'
import type { GroupProtocol, RuntimeWorld } from './runtime-world.ts'

const recordCount = 300
const partitions = 3

interface Stage {
  readonly source: string
  readonly target: string
  readonly name: string
}

async function startStage(world: RuntimeWorld): Promise<Stage> {
  const [source, target] = await Promise.all([
    world.port.topic({ partitions }),
    world.port.topic({ partitions }),
  ])
  await world.send(
    Array.from({ length: recordCount }, (_, index) => ({
      topic: source.name,
      key: `k-${index % 20}`,
      value: String(index),
    })),
  )
  return { source: source.name, target: target.name, name: world.port.name('stage') }
}

function optionsFor(protocol: GroupProtocol): ConsumerOptions {
  return {
    ...soonest,
    exactlyOnce: true,
    retry: { attempts: 2, delayMs: 1 },
    group: { groupProtocol: protocol, heartbeatIntervalMs: 300 },
  }
}

/** A process of the stage: sends what it reads on, and fails when it is told to. */
async function startProcess(
  world: RuntimeWorld,
  { source, target, name }: Stage,
  options: ConsumerOptions,
  step: (number: number) => unknown = () => undefined,
) {
  const service = world.service({ name, signals: false })
  service.records(
    source,
    async ({ key, value }, { sendRecord }) => {
      await sendRecord({ topic: target, key, value })
      await step(Number(value))
    },
    options,
  )
  await service.start()
  return service
}

/** The numbers that a reader of committed records finds, in the order of each key. */
async function numbersIn(world: RuntimeWorld, topic: string): Promise<number[]> {
  const records = await world.recordsIn(topic, { partitions })
  const last = new Map<string, number>()
  for (const { key, value } of records) {
    expect(Number(value)).toBeGreaterThan(last.get(key ?? '') ?? -1)
    last.set(key ?? '', Number(value))
  }
  return records.map(({ value }) => Number(value)).sort((one, other) => one - other)
}

const all = Array.from({ length: recordCount }, (_, index) => index)

runtimeConformance(
  'runtime: exactly-once',
  inBothProtocols((protocol) => ({
    'what is sent is there once and in the order of keys, also when records fail': async (
      world,
    ) => {
      const stage = await startStage(world)
      const tried = new Set<number>()
      await startProcess(world, stage, optionsFor(protocol), (number) => {
        if (number % 11 !== 5 || tried.has(number)) return
        tried.add(number)
        throw new Error('not this time')
      })
      await until(async () => expect(await numbersIn(world, stage.target)).toEqual(all))
      expect(tried.size).toBeGreaterThan(20)
    },

    'a letter and the end of its record are one, and what its handler sent is not there': async (
      world,
    ) => {
      const stage = await startStage(world)
      await startProcess(world, stage, optionsFor(protocol), (number) => {
        if (number === 42) throw new FailureDecision('deadLetter', 'never')
      })
      const others = all.filter((number) => number !== 42)
      await until(async () => expect(await numbersIn(world, stage.target)).toEqual(others))
      await until(async () => expect(await numbersIn(world, `${stage.source}.dlq`)).toEqual([42]))
      const ends = await world.endsOf(stage.source, partitions)
      await until(async () => {
        for (const { topic, partition, offset } of ends) {
          expect(await world.committed(stage.name, { topic, partition })).toBe(offset)
        }
      })
    },

    'a process that is taken from writes nothing more, and its successor nothing twice': async (
      world,
    ) => {
      const stage = await startStage(world)
      let begun = 0
      const slowly = async () => {
        begun += 1
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      const options = { ...optionsFor(protocol), concurrency: 8 }
      const first = await startProcess(world, stage, options, slowly)
      await until(() => expect(begun).toBeGreaterThan(50))
      await startProcess(world, stage, options, slowly)
      await until(() => expect(begun).toBeGreaterThan(120))
      await first.stop({ drainMs: 0 })
      await until(async () => expect(await numbersIn(world, stage.target)).toEqual(all))
    },
  })),
)
