export { StackFault } from './fault.ts'
export type { Part, PartName } from './part.ts'
export { startStack, type LocalStack, type StackAddresses, type StackOptions } from './stack.ts'
