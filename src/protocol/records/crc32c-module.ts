/** How many tables of 256 words the module wants at the start of its memory. */
export const crc32cTableCount = 16

/** Where the bytes to be summed start in the module's memory: right behind the tables. */
export const crc32cDataStart = crc32cTableCount * 256 * 4

/** How many bytes to be summed fit into the module's memory. */
export const crc32cDataBytes = 16_384

/** The WebAssembly module that `crc32c-assembler.ts` makes, in base64. */
export const crc32cModule =
  'AGFzbQEAAAABBwFgAn9/AX8DAgEABQMBAAEHEwIGbWVtb3J5AgAGdXBkYXRlAAAK1wIB1AIBBX9BgIABIQICQANAIAJB' +
  'EGogAUsNASACKAIAIABzIQMgAigCBCEEIAIoAgghBSACKAIMIQYgA0ECdEH8B3EoAoB4IANBBnZB/AdxKAKAcHMgA0EO' +
  'dkH8B3EoAoBocyADQRZ2QfwHcSgCgGBzIARBAnRB/AdxKAKAWHMgBEEGdkH8B3EoAoBQcyAEQQ52QfwHcSgCgEhzIARB' +
  'FnZB/AdxKAKAQHMgBUECdEH8B3EoAoA4cyAFQQZ2QfwHcSgCgDBzIAVBDnZB/AdxKAKAKHMgBUEWdkH8B3EoAoAgcyAG' +
  'QQJ0QfwHcSgCgBhzIAZBBnZB/AdxKAKAEHMgBkEOdkH8B3EoAoAIcyAGQRZ2QfwHcSgCAHMhACACQRBqIQIMAAsLAkAD' +
  'QCACIAFPDQEgAi0AACAAc0H/AXFBAnQoAgAgAEEIdnMhACACQQFqIQIMAAsLIAAL'
