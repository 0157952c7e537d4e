import { expect, it, vi } from 'vitest'
import { startBroker } from '../src/testing/index.ts'
import { blockIn, guideText, runGuide } from './guide-code.ts'

const guide = guideText('ordering')

it('the code of the guide to ordering runs, and prints what the guide says', async () => {
  await using broker = await startBroker()
  const { service, printed } = await runGuide(guide, broker.bootstrap)
  await using _ = service
  await vi.waitFor(() => expect(printed).toHaveLength(6), { timeout: 20_000 })
  const expected = blockIn(guide, 'text').trim().split('\n')
  // How long a pause is that lets others go first is a matter of luck; the order of a key is not.
  for (const key of ['apple', 'pear']) {
    const ofKey = (lines: readonly string[]) => lines.filter((line) => line.startsWith(key))
    expect(ofKey(printed)).toEqual(ofKey(expected))
  }
  expect([...printed].sort()).toEqual([...expected].sort())
})
