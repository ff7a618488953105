import type { Validation, ValidationResult } from './validation.ts'

/** For tests: runs a validation to its end, and says in how many slices. */
export function toEnd(validation: Validation): { readonly result: ValidationResult; readonly slices: number } {
  let slices = 1
  let step = validation.next()
  for (; step.done !== true; slices += 1) step = validation.next()
  return { result: step.value, slices }
}
