import { OptionError } from '../../errors.ts'

type Rule = (distinguishedName: string) => string | undefined

/**
 * How the distinguished name of a client's certificate becomes the name of a user, by Kafka's rules
 * (`ssl.principal.mapping.rules`): `RULE:pattern/replacement/[LU]`, in a list separated by commas, of
 * which the first that matches the whole name counts; `DEFAULT` takes the name as it is. Whom no rule
 * matches is nobody, and is not let in.
 */
export function createPrincipalMapping(
  rules = 'DEFAULT',
): (distinguishedName: string) => string | undefined {
  const parsed = parseRules(rules)
  return (name) => {
    for (const rule of parsed) {
      const mapped = rule(name)
      if (mapped !== undefined) return mapped
    }
    return undefined
  }
}

const ruleStart = /^\s*(?:(DEFAULT)|RULE:((?:\\.|[^\\/])*)\/((?:\\.|[^\\/])*)\/([LU]?))\s*(?:,|$)/s

function parseRules(text: string): Rule[] {
  const rules: Rule[] = []
  let rest = text
  while (rest.trim() !== '') {
    const match = ruleStart.exec(rest)
    if (match === null) {
      const problem = `('${rest}') must be DEFAULT or RULE:pattern/replacement/ with L, U or nothing after it`
      throw new OptionError('principalMappingRules', problem)
    }
    const [whole, isDefault, pattern = '', replacement = '', letters = ''] = match
    rules.push(isDefault === undefined ? createRule(pattern, replacement, letters) : (name) => name)
    rest = rest.slice(whole.length)
  }
  return rules
}

function createRule(pattern: string, replacement: string, letters: string): Rule {
  const expression = readPattern(pattern)
  return (name) => {
    const match = expression.exec(name)
    if (match === null) return undefined
    const mapped = replacement.replaceAll(
      /\\(.)|\$(\d)/g,
      (_, escaped: string | undefined, group: string) => escaped ?? match[Number(group)] ?? '',
    )
    if (letters === 'L') return mapped.toLowerCase()
    return letters === 'U' ? mapped.toUpperCase() : mapped
  }
}

function readPattern(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`)
  } catch (cause) {
    throw new OptionError('principalMappingRules', `('${pattern}') is no pattern`, { cause })
  }
}
