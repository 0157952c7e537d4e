/** The types of Kafka's properties, with the codes by which DescribeConfigs names them. */
export const propertyTypeCodes = {
  BOOLEAN: 1,
  STRING: 2,
  INT: 3,
  SHORT: 4,
  LONG: 5,
  DOUBLE: 6,
  LIST: 7,
  CLASS: 8,
  PASSWORD: 9,
} as const

export type PropertyType = keyof typeof propertyTypeCodes

export interface PropertyOptions {
  readonly min?: number
  readonly max?: number
  /** A number that is allowed besides those from `min` to `max`. */
  readonly also?: number
  /** What a text, or each element of a list, may be. */
  readonly oneOf?: readonly string[]
  readonly ignoreCase?: true
  /** Whether an empty text or list is allowed; it is unless this says otherwise. */
  readonly empty?: false
  readonly format?: 'replicas' | 'offset-reset' | 'client-match'
  /**
   * Who can be given another value while the broker runs: all brokers together and each alone, or
   * only each alone. Absent: nobody.
   */
  readonly dynamic?: 'cluster' | 'broker'
  /** Whether Kafka keeps it to itself: it can be set, and is described only then. */
  readonly internal?: true
  /** Whether the embedded broker does what it says. */
  readonly obeyed?: true
}

/** A property as it is declared. */
export interface Property extends PropertyOptions {
  readonly type: PropertyType
  /** In the form in which it is written; null where it has none. */
  readonly default: string | null
}

export type PropertyTable = Readonly<Record<string, Property>>

/** What code gets for a property: whole numbers beyond the safe ones count as the nearest safe one. */
export type PropertyValue = boolean | number | string | readonly string[]

type ValueOfType<Type extends PropertyType> = Type extends 'BOOLEAN'
  ? boolean
  : Type extends 'INT' | 'SHORT' | 'LONG' | 'DOUBLE'
    ? number
    : Type extends 'LIST'
      ? readonly string[]
      : string

/** The type of a property's value; with null for a property that may have none. */
export type ValueOf<P extends Property> = ValueOfType<P['type']> | (null & P['default'])

function property<const Type extends PropertyType>(type: Type) {
  return <const Default extends string | null, const Options extends PropertyOptions = object>(
    defaultValue: Default,
    options?: Options,
  ): { readonly type: Type; readonly default: Default } & Options => ({
    type,
    default: defaultValue,
    ...(options as Options),
  })
}

export const flag = property('BOOLEAN')
export const text = property('STRING')
export const int = property('INT')
export const short = property('SHORT')
export const long = property('LONG')
export const double = property('DOUBLE')
export const list = property('LIST')
/** The name of a Java class; there is no Java here to load it. */
export const javaClass = property('CLASS')
export const password = property('PASSWORD')

/** Finds a property by name. A name such as `constructor` is none, whatever objects inherit. */
export function findProperty(table: PropertyTable, name: string): Property | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}
