import { expect, test } from '@jest/globals'
import { startReceiver } from '@ariftly/testkit'
import { run } from '../../test-run.ts'

test.each(['pending', 'delivered', 'failed', 'cancelled'])(
  'deliveries that are %s can be asked for',
  async (status) => {
    const api = await startReceiver()
    api.respondWith(() => ({
      status: 202,
      headers: { 'content-type': 'application/json' },
      body: '{"id":"rdl_1","status":"running"}',
    }))
    const env = { ARIFTLY_URL: `http://127.0.0.1:${api.port}`, ARIFTLY_API_KEY: 'k' }
    const webhook = 'whk_01h455vb4pex5vsknk084sn02q'
    const ran = await run(['redeliveries', 'create', '--webhook', webhook, '--status', status, '--yes'], { env })
    await api.close()
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(JSON.parse(String(api.requests[0]?.body))).toEqual({ filter: { webhook_id: webhook, status } })
  },
)
