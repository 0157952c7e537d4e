import type { ClientOptions } from '../../client/index.ts'
import { createNativeDriver } from '../../driver/index.ts'
import type { Driver } from '../../driver/index.ts'
import { OptionError } from '../../errors.ts'
import type { Log } from '../../observe/index.ts'
import type { Platform } from '../../platform/index.ts'

/** The driver that was given, or the one that the options of a client ask for. */
export function driverOf(kafka: ClientOptions | Driver, platform: Platform, log: Log): Driver {
  const given: unknown = kafka
  if (typeof given !== 'object' || given === null) {
    throw new OptionError('kafka', `must be what createClient takes, or a driver`)
  }
  if ('features' in kafka) return kafka
  return createNativeDriver({ platform, log, ...kafka })
}
