import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { startBroker } from '../src/testing/index.ts'
import { blockIn, guideText, runGuide } from './guide-code.ts'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const guide = guideText('deduplication')

it('the guide has every option of dedupe', () => {
  const options = read('src/runtime/service/consumer-options.ts')
  const [, body = ''] = /export interface DedupeOptions \{\n(.*?)\n\}/s.exec(options) ?? []
  const names = [...body.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name = '']) => name)
  expect(names.length).toBeGreaterThan(0)
  expect(names.filter((name) => !guide.includes(`| \`${name}\``))).toEqual([])
})

it('the code of the guide runs, and prints what the guide says', async () => {
  await using broker = await startBroker()
  await broker.createTopic('orders', { partitions: 3 })
  const modules = { 'node:timers/promises': { setTimeout } }
  const running = await runGuide(guide, broker.bootstrap, modules)
  await using service = running.service
  const { printed } = running
  const metric = /^millrace_dedupe_hits_total\{.*\} 1$/m
  await vi.waitFor(() => expect(service.metrics.expose()).toMatch(metric), { timeout: 20_000 })
  await vi.waitFor(() => expect(printed).toHaveLength(2), { timeout: 20_000 })
  expect([...printed].sort()).toEqual(blockIn(guide, 'text').trim().split('\n'))
})
