import { expect, test } from '@jest/globals'
import { createLogger, createMetrics, readConfig } from '@ariftly/runtime'
import { countTimers, createWorld, eventually } from '@ariftly/testkit'
import { start, streamGatewayConfig } from './service.ts'

const log = createLogger({ service: 'stream-gateway', level: 'error' })

test('a gateway at rest is woken by fewer than 9 timers a second, and makes fewer than 35', async () => {
  const world = await createWorld()
  const timers = countTimers()
  const deps = { log, metrics: createMetrics(), signal: new AbortController().signal }
  const gateway = await start(readConfig(streamGatewayConfig, world.env), deps)
  try {
    await eventually(() => gateway.ready().ready && gateway.ready().checks['projection'] === 'ok')
    const { made, woken } = await timers.during(4_000)
    expect(woken).toBeLessThan(9)
    expect(made).toBeLessThan(35)
  } finally {
    timers.stop()
    await gateway.close()
    await world.close()
  }
})
