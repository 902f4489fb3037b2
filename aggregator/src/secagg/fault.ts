import { type ErrorCode, FedweaveError } from '../core/errors.ts'

/** The other side broke a rule: a value, not an exception, so that every handler has to say what follows. */
export interface Fault {
  readonly fault: ErrorCode
  readonly message: string
}

export function fault(code: ErrorCode, message: string): Fault {
  return { fault: code, message }
}

export function violation(message: string): Fault {
  return fault('FL_PROTOCOL_VIOLATION', message)
}

export function isFault(value: object): value is Fault {
  return 'fault' in value
}

/** Runs a parser over what the other side sent; its typed error becomes a fault, and our own bugs stay exceptions. */
export function attempt<T extends object>(parse: () => T): T | Fault {
  try {
    return parse()
  } catch (error) {
    if (error instanceof FedweaveError) return fault(error.code, error.message)
    throw error
  }
}
