import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Pattern } from './pattern.ts'
import { PatternError } from './syntax.ts'

function matches(pattern: string, text: string): boolean {
  return new Pattern(pattern).matches(text)
}

describe('a pattern', () => {
  it.each([
    ['orders', 'orders', true],
    ['orders', 'orders.v1', false],
    ['orders.*', 'orders.v1', true],
    ['^orders-\\d{2,3}$', 'orders-123', true],
    ['^orders-\\d{2,3}$', 'orders-1234', false],
    ['(?:a|b)+c?', 'abab', true],
    ['(?P<name>a|b){2}', 'ab', true],
    ['(?<name>a|b){2}', 'abb', false],
    ['[^._-]+', 'ab.c', false],
    ['[[:alpha:]_]+', 'ab_c', true],
    ['[]a]+', ']a', true],
    ['[a-]+', 'a-a', true],
    ['\\Qa.b\\E+', 'a.bbb', true],
    ['\\Qa.b\\E', 'axb', false],
    ['(?i)orders', 'OrDeRs', true],
    ['(?i)[^a]', 'A', false],
    ['a(?i)b|c', 'C', true],
    ['(?i:a)b', 'AB', false],
    ['\\p{Lu}\\P{Lu}', 'Ab', true],
    ['\\p{Greek}', 'α', true],
    ['\\x41\\x{42}\\103', 'ABC', true],
    ['.', '\n', false],
    ['(?s).', '\n', true],
    ['\\bfoo\\b.*', 'foo bar', true],
    ['\\bfoo\\b.*', 'foobar', false],
    ['a{2', 'a{2', true],
    ['a{,2}', 'a{,2}', true],
    ['a{0}', '', true],
    ['', '', true],
    ['|a', 'a', true],
    ['()', '', true],
    ['(|a)*', 'aaa', true],
    ['(a*)*', 'b', false],
  ])('%j on %j: %s', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected)
  })

  it.each([
    '(',
    ')',
    'a)',
    '[a',
    '[b-a]',
    '*a',
    'a**',
    'a*+',
    'a{3,2}',
    'a{1001}',
    '(?=a)',
    '(?!a)',
    '(?<=a)b',
    '(?>a)',
    '(a)\\1',
    '\\k<a>',
    '\\y',
    '\\',
    '[[:nope:]]',
    '\\p{Nope}',
    '(?z)',
    '(?P<>a)',
    '((a{1000}){1000})',
    '('.repeat(2000) + ')'.repeat(2000),
  ])('%j is refused', (pattern) => {
    expect(() => new Pattern(pattern)).toThrow(PatternError)
  })

  it('takes no time worth mentioning on what stops a backtracking engine', () => {
    const pattern = new Pattern('(a*)*(a|a)*(.*a){20}b')
    expect(pattern.matches('a'.repeat(240))).toBe(false)
  })

  it('agrees with the engine of the language where both have the same syntax', () => {
    const piece = fc.oneof(
      fc.constantFrom('a', 'b', 'c', '.', '\\.', '\\d', '\\w', '[ab]', '[^a]', '[a-c]', '(?:a|bc)'),
      fc.constantFrom('(?:)', '(?:b|)', '(?:a.|b)', '\\b', '\\B'),
    )
    const repeated = fc
      .tuple(piece, fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,2}', '{0,}', '*?', '+?'))
      .map(([part, count]) => (part.startsWith('\\b') || part === '\\B' ? part : part + count))
    const pattern = fc
      .array(fc.array(repeated, { maxLength: 4 }), { minLength: 1, maxLength: 3 })
      .map((options) => options.map((parts) => parts.join('')).join('|'))
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '.', '1'), maxLength: 8 })
    fc.assert(
      fc.property(pattern, text, (source, sample) => {
        expect(matches(source, sample)).toBe(new RegExp(`^(?:${source})$`).test(sample))
      }),
      { seed: 7, numRuns: 4000 },
    )
  })
})
