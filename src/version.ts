/** The version of this package, as clients tell it to brokers. */
export const version = '0.1.0'
