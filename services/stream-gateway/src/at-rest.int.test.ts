import { expect, test } from '@jest/globals'
import { countTimers, createWorld, eventually, startInProcess } from '@ariftly/testkit'
import { start, streamGatewayConfig } from './service.ts'

test('an idle gateway is woken by fewer than 9 timers a second, and makes fewer than 35', async () => {
  const world = await createWorld()
  const timers = countTimers()
  const gateway = await startInProcess({ config: streamGatewayConfig, start }, world.env)
  try {
    await eventually('the gateway has a projection', () => gateway.ready().checks['projection'] === 'ok')
    const { made, woken } = await timers.during(4_000)
    expect(woken).toBeLessThan(9)
    expect(made).toBeLessThan(35)
  } finally {
    timers.stop()
    await gateway.close()
    await world.close()
  }
})
