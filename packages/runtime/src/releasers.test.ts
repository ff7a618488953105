import { describe, expect, test } from '@jest/globals'
import { createReleasers, withReleasers } from './releasers.ts'

interface Line {
  readonly release: string
  readonly err?: Error
}

function createLog() {
  const lines: Line[] = []
  return { lines, error: (line: unknown) => void lines.push(line as Line) }
}

describe('createReleasers', () => {
  test('releases last-in first-out, each after the one before has ended', async () => {
    const order: string[] = []
    const releasers = createReleasers(createLog())
    releasers.add('first', () => void order.push('first'))
    releasers.add('second', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      order.push('second')
    })
    await releasers.close()
    expect(order).toEqual(['second', 'first'])
  })

  test('logs a release that fails and continues with the others', async () => {
    const log = createLog()
    const order: string[] = []
    const releasers = createReleasers(log)
    releasers.add('first', () => void order.push('first'))
    releasers.add('bad', () => {
      throw new Error('no')
    })
    await releasers.close()
    expect(order).toEqual(['first'])
    expect(log.lines).toEqual([{ release: 'bad', err: new Error('no') }])
  })

  test('releases once, however often it is closed, and releases later additions immediately', async () => {
    let releases = 0
    const releasers = createReleasers(createLog())
    releasers.add('one', () => void (releases += 1))
    await Promise.all([releasers.close(), releasers.close()])
    expect(releases).toBe(1)
    releasers.add('late', () => void (releases += 10))
    await releasers.close()
    expect(releases).toBe(11)
  })
})

describe('withReleasers', () => {
  test('releases the acquired resources when the start fails half-way, then throws the failure', async () => {
    const order: string[] = []
    const start = withReleasers(createLog(), async (releasers) => {
      releasers.add('pool', () => void order.push('pool'))
      await Promise.resolve()
      throw new Error('second step')
    })
    await expect(start).rejects.toThrow('second step')
    expect(order).toEqual(['pool'])
  })
})
