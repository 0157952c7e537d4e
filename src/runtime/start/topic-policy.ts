import { isLoopback } from '../../client/index.ts'
import type { ClusterDescription } from '../../client/index.ts'
import { OptionError } from '../../errors.ts'
import { optionsOf, shown } from '../../option-checks.ts'

/** What is done about a topic that is not there. */
export type MissingTopicRule = 'create' | 'warn' | 'refuse'
/** What is done about one that is not as its contract says. */
export type DifferentTopicRule = 'warn' | 'refuse'

/**
 * What is done at start about topics that are not as they should be. `'create'` makes those that are missing and warns
 * about differences; `'warn'` and `'refuse'` hold for both.
 */
export type TopicPolicy =
  | MissingTopicRule
  | { readonly missing?: MissingTopicRule; readonly different?: DifferentTopicRule }

export interface ResolvedTopicPolicy {
  /** Undefined: created in development, which is where all brokers are on this machine; else refused. */
  readonly missing: MissingTopicRule | undefined
  readonly different: DifferentTopicRule
}

const missingRules: readonly MissingTopicRule[] = ['create', 'warn', 'refuse']
const differentRules: readonly DifferentTopicRule[] = ['warn', 'refuse']

/** Checks what was given, and says what holds for the rest. */
export function resolveTopicPolicy(given: unknown, option: string): ResolvedTopicPolicy {
  if (given === undefined) return { missing: undefined, different: 'warn' }
  if (typeof given === 'string') {
    const missing = ruleOf(given, missingRules, option)
    return { missing, different: missing === 'refuse' ? 'refuse' : 'warn' }
  }
  const { missing, different } = optionsOf(given, option, ['missing', 'different'])
  return {
    missing: missing === undefined ? undefined : ruleOf(missing, missingRules, `${option}.missing`),
    different:
      different === undefined ? 'warn' : ruleOf(different, differentRules, `${option}.different`),
  }
}

function ruleOf<Rule extends string>(given: unknown, rules: readonly Rule[], option: string): Rule {
  const rule = rules.find((known) => known === given)
  if (rule !== undefined) return rule
  const allowed = rules.map((known) => `'${known}'`).join(', ')
  throw new OptionError(option, `(${shown(given)}) must be one of ${allowed}`)
}

/** Whether all brokers are on this machine, by what they say of themselves. */
export function isDevelopment({ brokers }: Pick<ClusterDescription, 'brokers'>): boolean {
  return brokers.every(({ host }) => isLoopback(host))
}
