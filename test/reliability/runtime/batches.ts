import type { WayParts } from '../../../src/runtime/assemble.ts'
import { Batcher } from '../../../src/runtime/batch/batcher.ts'
import type { BatchCall, BatchWindow } from '../../../src/runtime/batch/batcher.ts'
import { orderKeyOf } from '../../../src/runtime/lanes/record-order.ts'
import type { Way } from '../../../src/runtime/outcome.ts'
import { failureOf, seenIn, workOf } from './handling.ts'
import type { HandlingOptions } from './handling.ts'

/** The end of a way on which records are handled in batches. */
export function batchWay(options: HandlingOptions, window: BatchWindow, parts: WayParts): Way {
  const batcher = new Batcher({
    ...window,
    turns: parts.turns,
    guard: parts.guard,
    clock: options.platform.clock,
    log: options.log,
    orderKeyOf: (delivery) => orderKeyOf(parts.order, delivery),
    run: (call) => handleBatch(options, call),
  })
  return batcher.way
}

/** Starts all records of a batch, works for a while, says what became of some, and fails as a whole now and then. */
async function handleBatch(options: HandlingOptions, call: BatchCall): Promise<void> {
  const { platform, witness, life, shape, die } = options
  const { clock, random } = platform
  // Of a process that is no more nothing is seen.
  clock.now()
  const { deliveries, marks, signal } = call
  const work = workOf(options)
  const runs = deliveries.map((delivery) => {
    return witness.started(life, { ...seenIn(delivery), batch: call }, work.isStubborn)
  })
  if (runs.some(({ kind }) => kind === 'killer')) {
    die()
    return new Promise(() => undefined)
  }
  const isAlone = runs.length === 1
  const again = isAlone ? 'aborted' : 'again'
  try {
    await clock.sleep(work.takesMs, work.isStubborn ? undefined : signal)
  } catch (error) {
    for (const run of runs) witness.ended(run, again)
    throw error
  }
  const failures = runs.map((run) => failureOf(options, run))
  const failure = failures.find((each) => each !== undefined)
  const throws = failure !== undefined && !isAlone && random.integer(2) === 0
  const isWhole = !throws && (isAlone || !signal.aborted)
  const broken = new Set<string>()
  for (const [index, run] of runs.entries()) {
    const delivery = deliveries[index]!
    const key = orderKeyOf(shape.order, delivery) ?? `${index}`
    const isSaid = !broken.has(key) && (isWhole || random.integer(2) === 0)
    const error = failures[index]
    if (!isSaid || error !== undefined) broken.add(key)
    if (!isSaid) witness.ended(run, again)
    else if (error === undefined) {
      witness.ended(run, 'done')
      // Nothing is said of a batch in which all goes well.
      if (failure !== undefined || !isWhole) marks.done(delivery)
    } else {
      witness.ended(run, 'failed')
      marks.fail(delivery, error)
    }
  }
  if (throws) throw failure
}
