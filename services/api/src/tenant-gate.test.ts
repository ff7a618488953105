import { describe, expect, test } from '@jest/globals'
import { createTenantGate } from './tenant-gate.ts'

interface Job {
  readonly done: Promise<string>
  readonly started: () => boolean
  readonly end: () => void
}

function createJobs(gate: ReturnType<typeof createTenantGate>): (tenant: string) => Job {
  return function startJob(tenant) {
    let started = false
    let end: (() => void) | undefined
    const done = gate(tenant, () => {
      started = true
      return new Promise<string>((resolve) => {
        end = () => resolve(tenant)
      })
    })
    return { done, started: () => started, end: () => end?.() }
  }
}

describe('the gate of tenants', () => {
  test('runs so much of a tenant at the same time and the rest in line, while others pass', async () => {
    const start = createJobs(createTenantGate({ placesMax: 4, waitingMax: 10 }))
    const jobs = [start('a'), start('a'), start('a'), start('a')]
    const other = start('b')
    expect(jobs.map((job) => job.started())).toEqual([true, true, false, false])
    expect(other.started()).toBe(true)
    jobs[1]?.end()
    await jobs[1]?.done
    expect(jobs.map((job) => job.started())).toEqual([true, true, true, false])
    for (const job of jobs.slice(0, 3)) job.end()
    await jobs[2]?.done
    expect(jobs[3]?.started()).toBe(true)
    jobs[3]?.end()
    expect(await jobs[3]?.done).toBe('a')
  })

  test('refuses with 429 what does not fit into the line, and goes on after work that fails', async () => {
    const gate = createTenantGate({ placesMax: 2, waitingMax: 1 })
    const failing = gate('a', () => Promise.reject(new Error('broken')))
    const waiting = gate('a', () => Promise.resolve('fine'))
    await expect(gate('a', () => Promise.resolve('too much'))).rejects.toMatchObject({ status: 429 })
    await expect(failing).rejects.toThrow('broken')
    expect(await waiting).toBe('fine')
    expect(await gate('a', () => Promise.resolve('again'))).toBe('again')
  })

  test('leaves a place to whoever runs nothing, however many slow tenants there are', () => {
    const start = createJobs(createTenantGate({ placesMax: 10, waitingMax: 100 }))
    const started = ['a', 'b', 'c', 'd'].map((tenant) => {
      return Array.from({ length: 10 }, () => start(tenant)).filter((job) => job.started()).length
    })
    expect(started).toEqual([5, 3, 1, 1])
  })

  test('gives a free place to the tenant that runs least', async () => {
    const start = createJobs(createTenantGate({ placesMax: 4, waitingMax: 100 }))
    const slow = Array.from({ length: 4 }, () => start('slow'))
    const others = [start('b'), start('c'), start('d')]
    expect([...slow, ...others].filter((job) => job.started())).toHaveLength(4)
    expect(others[2]?.started()).toBe(false)
    slow[0]?.end()
    await slow[0]?.done
    expect(others[2]?.started()).toBe(true)
    expect(slow[2]?.started()).toBe(false)
  })

  test('drops waiting work whose client has left, and takes no place for it', async () => {
    const gate = createTenantGate({ placesMax: 2, waitingMax: 1 })
    const leaving = new AbortController()
    const running = createJobs(gate)('a')
    let ran = false
    const waiting = gate('a', () => Promise.resolve((ran = true)), leaving.signal)
    leaving.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'request_aborted' })
    await expect(gate('a', () => Promise.resolve(), AbortSignal.abort())).rejects.toMatchObject({ status: 400 })
    const next = gate('a', () => Promise.resolve('next'))
    running.end()
    expect(await next).toBe('next')
    expect(ran).toBe(false)
  })
})
