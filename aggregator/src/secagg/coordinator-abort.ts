import type { ErrorCode } from '../core/errors.ts'
import type { CoordinatorStep } from './coordinator-state.ts'

export function abortCoordinator(round: number, code: ErrorCode, message: string): CoordinatorStep {
  return { state: { phase: 'aborted', round, code, message }, effects: [{ type: 'aborted', code, message }] }
}
