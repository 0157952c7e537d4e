import { expectTypeOf } from 'vitest'
import type { HistoryRecorder } from './record.ts'

// Checked by the type checker alone: each line that must not compile is marked as such.
export function recorderTypes(history: HistoryRecorder): void {
  const place = { topic: 'orders', partition: 0 }
  const send = history.begin({ process: 'p', kind: 'send', ...place, value: 1 })
  send.ok({ offset: 1 })
  send.ok({ offset: undefined })
  send.failed(new Error('refused'))
  // @ts-expect-error: whether the offset is known must be said
  send.ok()
  // @ts-expect-error: a send hands over no records
  send.ok({ records: [] })

  const poll = history.begin({ process: 'p', kind: 'poll', group: 'g' })
  poll.ok({ records: [{ ...place, offset: 0, value: 'a' }] })
  poll.failed('refused', { records: [] })
  // @ts-expect-error: what was read must be said, also when it is nothing
  poll.ok()
  expectTypeOf(poll).not.toHaveProperty('send')

  const transaction = history.begin({ process: 'p', kind: 'transaction' })
  transaction.send({ ...place, value: 'a' }).acknowledged(1)
  transaction.ok()
  // @ts-expect-error: the offset belongs to the send inside of it
  transaction.ok({ offset: 1 })

  history.begin({ process: 'p', kind: 'handler', group: 'g', ...place, offset: 1, key: null }).ok()
  history
    .begin({ process: 'p', kind: 'handler', group: 'g', ...place, offset: 1, key: 'k' })
    .ok({ ended: 'skipped' })
  // @ts-expect-error: a handler has a key, or null
  history.begin({ process: 'p', kind: 'handler', group: 'g', ...place, offset: 1 })
  // @ts-expect-error: a misspelled field
  history.begin({ process: 'p', kind: 'poll', grop: 'g' })
  // @ts-expect-error: a send takes time: it is not noted
  history.note({ process: 'p', kind: 'send', ...place, value: 1 })
  history.note({ process: 'p', kind: 'seek', group: 'g', offsets: [{ ...place, offset: 0 }] })
}
