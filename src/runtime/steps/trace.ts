import { traceOf } from '../../contract/index.ts'
import { processSpan } from '../../observe/index.ts'
import type { Span, Tracer } from '../../observe/index.ts'
import type { Delivery } from '../delivery.ts'
import type { Outcome, Step, Way } from '../outcome.ts'
import { eventIn } from './decode.ts'

/** While spans go nowhere it is asked so often, in records, whether they do by now: the answer is not for nothing. */
const askedEvery = 64

/** Makes a span of each run of the handlers, on the trace that the record came with. */
export function traceStep(tracer: Tracer, groupId: string): Step {
  let untraced = 0
  return (delivery, next) => {
    if (untraced > 0 || !tracer.isEnabled) {
      untraced = (untraced + 1) % askedEvery
      return next(delivery)
    }
    return traced(tracer.startSpan(spanOf(delivery, groupId)), delivery, next)
  }
}

function traced(span: Span, delivery: Delivery, next: Way): Outcome | Promise<Outcome> {
  let outcome: Outcome | Promise<Outcome>
  try {
    outcome = span.run(() => next(delivery))
  } catch (error) {
    span.end({ error })
    throw error
  }
  if (outcome instanceof Promise) return endedWith(span, outcome)
  span.end()
  return outcome
}

async function endedWith(span: Span, outcome: Promise<Outcome>): Promise<Outcome> {
  try {
    const answer = await outcome
    span.end()
    return answer
  } catch (error) {
    span.end({ error })
    throw error
  }
}

function spanOf(delivery: Delivery, groupId: string) {
  const { topic, partition, offset, record, decoded } = delivery
  const { traceparent, tracestate } = traceOf(record)
  const messageId = eventIn(decoded)?.id
  return processSpan({
    groupId,
    record: {
      ...{ topic, partition, offset },
      isTombstone: record.valueSize < 0,
      ...(record.valueSize >= 0 && { valueBytes: record.valueSize }),
      ...(messageId !== undefined && { messageId }),
    },
    context:
      traceparent === undefined
        ? undefined
        : { traceparent, ...(tracestate !== undefined && { tracestate }) },
  })
}
