import { OptionError } from '../../errors.ts'
import { optionsOf, text } from '../../option-checks.ts'
import type { ResolvedTlsOptions } from '../options.ts'

const known = ['authorities', 'certificate', 'privateKey', 'passphrase', 'serverName']
const certificateForm = /-----BEGIN CERTIFICATE-----[^]+-----END CERTIFICATE-----/
const privateKeyForm =
  /-----BEGIN ([A-Z]+ )*PRIVATE KEY-----[^]+-----END ([A-Z]+ )*PRIVATE KEY-----/

/** Checks `tls`, which is true or an object. No message shows a value of it: keys are secret. */
export function resolveTls(tls: unknown): ResolvedTlsOptions {
  if (tls === true) return {}
  const given = optionsOf(tls, 'tls', known)
  const authorities = authoritiesOf(given['authorities'])
  const certificate = pemOf(given['certificate'], 'tls.certificate', certificateForm)
  const privateKey = pemOf(given['privateKey'], 'tls.privateKey', privateKeyForm)
  const passphrase = passphraseOf(given['passphrase'])
  const serverName = text(given, 'serverName', 'tls.serverName')
  need('tls.certificate', certificate, 'tls.privateKey', privateKey)
  need('tls.privateKey', privateKey, 'tls.certificate', certificate)
  need('tls.passphrase', passphrase, 'tls.privateKey', privateKey)
  return {
    ...(authorities === undefined ? {} : { authorities }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(serverName === undefined ? {} : { serverName }),
  }
}

function need(name: string, value: unknown, other: string, otherValue: unknown): void {
  if (value === undefined || otherValue !== undefined) return
  throw new OptionError(name, `needs ${other} as well`)
}

function authoritiesOf(given: unknown): readonly string[] | undefined {
  if (given === undefined) return undefined
  const list: readonly unknown[] = Array.isArray(given) ? given : [given]
  // Nobody would be trusted: what was meant is to trust the well-known ones, or a file was empty.
  if (list.length === 0) throw new OptionError('tls.authorities', 'must not be an empty list')
  return list.map((entry) => pemOf(entry, 'tls.authorities', certificateForm) ?? '')
}

function pemOf(given: unknown, option: string, form: RegExp): string | undefined {
  if (given === undefined) return undefined
  if (typeof given === 'string' && form.test(given)) return given
  const content = form === privateKeyForm ? 'the private key' : 'certificates'
  throw new OptionError(option, `must be ${content} in PEM, as text (the content, not a path)`)
}

function passphraseOf(given: unknown): string | undefined {
  if (given === undefined || typeof given === 'string') return given
  throw new OptionError('tls.passphrase', 'must be a text')
}
