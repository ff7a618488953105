import { readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { childrenOf } from '../support/process-usage.ts'

/** What the product consists of while it runs; `services` is the one process of all five. */
export const PARTS = ['services', 'kafka', 'postgres', 'redis'] as const

/** One of them. */
export type PartName = (typeof PARTS)[number]

/** The processes of each part among the descendants of `npm start`. */
export function pidsOfParts(npmPid: number): Readonly<Record<PartName, readonly number[]>> {
  const pids: Record<PartName, number[]> = { services: [], kafka: [], postgres: [], redis: [] }
  for (const pid of descendantsOf(npmPid)) {
    const part = partOf(pid)
    if (part !== undefined) pids[part].push(pid)
  }
  return pids
}

/** By the program that runs; npm and the supervisors of the parts belong to none. */
function partOf(pid: number): PartName | undefined {
  const program = basename(readlinkSync(`/proc/${pid}/exe`))
  if (program === 'node')
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('start.mjs') ? 'services' : undefined
  if (program === 'java') return 'kafka'
  if (program === 'postgres') return 'postgres'
  return /^(redis|valkey)-/.test(program) ? 'redis' : undefined
}

function descendantsOf(pid: number): readonly number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)])
}
