import { describe, expect, it } from 'vitest'
import { parseArguments, wholeNumber } from './arguments.ts'

const options = [
  { name: 'port', value: 'PORT', help: 'The port.' },
  { name: 'set', value: 'NAME=VALUE', repeat: true, help: 'A property.' },
  { name: 'insecure', help: 'A switch.' },
] as const

describe('the command line', () => {
  it('takes values after a space or an equals sign, and switches', () => {
    const parsed = parseArguments(
      ['--port=0', '--set', 'a.b=1', '--insecure', '--set=c=2'],
      options,
    )
    expect(parsed.value('port')).toBe('0')
    expect(parsed.values('set')).toEqual(['a.b=1', 'c=2'])
    expect(parsed.has('insecure')).toBe(true)
  })

  it.each([
    [['--prot', '1'], '--prot is not an option; did you mean --port?'],
    [['extra'], 'extra is not an option; see --help'],
    [['--port'], '--port needs a value (PORT)'],
    [['--insecure=yes'], '--insecure takes no value'],
    [['--port', '1', '--port', '2'], '--port is given more than once'],
  ])('refuses %j and says what is wrong', (words, message) => {
    expect(() => parseArguments(words, options)).toThrow(message)
  })

  it('refuses a number out of bounds with its bounds', () => {
    expect(wholeNumber('--port', '65535', 0, 65_535)).toBe(65_535)
    expect(() => wholeNumber('--port', '70000', 0, 65_535)).toThrow(
      '--port (70000) must be a whole number from 0 to 65535',
    )
    expect(() => wholeNumber('--port', '1e3', 0, 65_535)).toThrow(/whole number/)
  })
})
