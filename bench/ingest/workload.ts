/** What is posted: events whose line has this many bytes, over so many tasks. */
const LINE_BYTES = 300
const TASKS = 200

/** The events of one request, as the bytes of an array of `count`, or of one object when `count` is 1. */
export function requestBody(from: number, count: number): Buffer {
  const lines = Array.from({ length: count }, (_, index) => eventLine(from + index))
  return Buffer.from(count === 1 ? lines.join('') : `[${lines.join(',')}]`)
}

/** One event as a client posts it: 300 bytes. */
function eventLine(number: number): string {
  const head = `{"type":"task.progress","task_id":"${taskId(number)}","agent":"bench","data":${dataStart(number)}`
  return `${head}${'x'.repeat(LINE_BYTES - head.length - 3)}"}}`
}

function dataStart(number: number): string {
  return `{"n":${number},"message":"`
}

function taskId(number: number): string {
  return `task_${number % TASKS}`
}

/** The record that ingest writes for such an event; the peers write the same. */
export function eventRecord(number: number, tenant: string) {
  const task = taskId(number)
  const { data } = JSON.parse(eventLine(number)) as { data: object }
  return {
    key: `${tenant}/${task}`,
    value: JSON.stringify({ task_id: task, ...data }),
    headers: {
      ce_specversion: '1.0',
      ce_id: `evt_01m88y3fz3eeksq${String(number % 10_000_000).padStart(11, '0')}`,
      ce_type: 'task.progress',
      ce_source: `/tenants/${tenant}/agents/bench`,
      ce_subject: task,
      ce_time: '2026-11-25T08:45:37.123Z',
      'content-type': 'application/json',
      ce_tenant: tenant,
      ce_taskid: task,
      ce_agent: 'bench',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00',
    },
  }
}

/** Bytes of such a record: key, value, names and values of headers. */
export function recordBytes(tenant: string): number {
  const { key, value, headers } = eventRecord(0, tenant)
  const texts = [key, value, ...Object.entries(headers).flat()]
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
}
