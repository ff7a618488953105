// Exit code 0 if this container's service says that it is ready. A one-shot has no health.
const port = process.env.METRICS_PORT || process.env.PORT || '8080'
try {
  const { ok } = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(3000) })
  process.exitCode = ok ? 0 : 1
} catch {
  process.exitCode = 1
}
