import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

/** The names of the members of an exported interface. */
function membersOf(path: string, name: string): string[] {
  const [, body = ''] = new RegExp(`export interface ${name}[^{]*\\{\\n(.*?)\\n\\}`, 's').exec(
    read(path),
  ) ?? [undefined, undefined]
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, member = '']) => member)
}

it.each([
  ['src/client/options.ts', 'ClientOptions'],
  ['src/client/producer/producer-options.ts', 'ProducerOptions'],
  [
    'src/client/producer/transaction/transactional-producer-options.ts',
    'TransactionalProducerOptions',
  ],
  ['src/client/consumer/consumer-options.ts', 'FetchOptions'],
  ['src/client/consumer/consumer-options.ts', 'AssignmentCallbacks'],
  ['src/client/consumer/consumer-options.ts', 'ConsumerOptions'],
  ['src/client/consumer/group-options.ts', 'GroupOptions'],
])('the guide has every option of %s, %s', (path, name) => {
  expectOptions('docs/guides/client.md', path, name)
})

it('the guide of consumers has every option of theirs', () => {
  expectOptions(
    'docs/guides/consuming.md',
    'src/runtime/service/consumer-options.ts',
    'ConsumerOptions',
  )
})

it('the guide to exactly-once has every option of it', () => {
  const path = 'src/runtime/service/consumer-options.ts'
  expectOptions('docs/guides/exactly-once.md', path, 'ExactlyOnceOptions')
})

function expectOptions(page: string, path: string, name: string): void {
  const guide = read(page)
  const options = membersOf(path, name)
  expect(options.length).toBeGreaterThan(0)
  expect(options.filter((option) => !guide.includes(`| \`${option}\``))).toEqual([])
}
