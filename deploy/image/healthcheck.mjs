// Prints what this container's service says of itself at /readyz; exit code 0 if it is ready. A one-shot has no health.
const port = process.env.METRICS_PORT || process.env.PORT || '8080'
try {
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(3000) })
  process.stdout.write(`${await answer.text()}\n`)
  process.exitCode = answer.ok ? 0 : 1
} catch (error) {
  process.stderr.write(`no answer at port ${port}: ${error.cause?.message ?? error.message}\n`)
  process.exitCode = 1
}
