export { formatTraceparent, normalTraceparent, parseTraceparent, type TraceContext } from './trace-context.ts'
