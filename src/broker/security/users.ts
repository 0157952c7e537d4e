import { createHmac } from 'node:crypto'
import { OptionError } from '../../errors.ts'
import type { Random } from '../../platform/index.ts'
import { scramCredentialOf, scramIterationsMin, scramMechanisms } from './scram-credential.ts'
import type { ScramCredential, ScramMechanism } from './scram-credential.ts'

/** The users that may log in, and what their passwords are checked against. */
export interface Users {
  /** Those that the broker was started with. */
  readonly given: ReadonlySet<string>
  /** The mechanisms that the passwords of those serve. */
  readonly scramMechanisms: readonly ScramMechanism[]
  password(user: string): string | undefined
  scramCredential(mechanism: ScramMechanism, user: string): ScramCredential | undefined
  /**
   * A credential for a user that does not exist, the same at each try: so that an exchange looks
   * alike whether the user exists or not.
   */
  madeUpCredential(mechanism: ScramMechanism, user: string): ScramCredential
}

interface UsersOptions {
  /** Passwords by user. They serve PLAIN and, through credentials made of them, SCRAM. */
  readonly passwords: ReadonlyMap<string, string>
  /** What clients may choose. */
  readonly mechanisms: readonly string[]
  /** Credentials that were set at run time; they win over passwords. */
  readonly storedCredential: (
    mechanism: ScramMechanism,
    user: string,
  ) => ScramCredential | undefined
  readonly random: Random
}

/** Users from a list of passwords and from credentials set at run time. */
export function createUsers(options: UsersOptions): Users {
  const { passwords, mechanisms, storedCredential, random } = options
  const secret = Buffer.from(random.bytes(32))
  const derived = new Map<string, ScramCredential>()
  const saltFor = (mechanism: string, user: string) =>
    createHmac('sha256', secret).update(`${mechanism}\0${user}`).digest().subarray(0, 18)
  const derivedCredential = (mechanism: ScramMechanism, user: string, password: string) => {
    const key = `${mechanism}\0${user}`
    const known = derived.get(key)
    if (known !== undefined) return known
    const made = scramCredentialOf(mechanism, password, saltFor(mechanism, user))
    derived.set(key, made)
    return made
  }
  return {
    given: new Set(passwords.keys()),
    scramMechanisms: scramMechanisms.filter((mechanism) => mechanisms.includes(mechanism)),
    password: (user) => passwords.get(user),
    scramCredential(mechanism, user) {
      const stored = storedCredential(mechanism, user)
      if (stored !== undefined) return stored
      const password = passwords.get(user)
      return password === undefined ? undefined : derivedCredential(mechanism, user, password)
    },
    madeUpCredential(mechanism, user) {
      const salt = saltFor(mechanism, user)
      const key = createHmac('sha512', secret).update(user).digest()
      const bytes = mechanism === 'SCRAM-SHA-256' ? 32 : 64
      const noise = key.subarray(0, bytes)
      return { salt, storedKey: noise, serverKey: noise, iterations: scramIterationsMin }
    },
  }
}

/** Reads a users file: `name:password` on each line, `#` begins a comment line. */
export function parseUsers(text: string): Map<string, string> {
  const users = new Map<string, string>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    if (colon < 1 || colon === line.length - 1) {
      throw new OptionError(`line ${index + 1}`, 'must be name:password')
    }
    users.set(line.slice(0, colon), line.slice(colon + 1))
  }
  return users
}
