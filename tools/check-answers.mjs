// Checks answers of the API (a folder of NDJSON files: method, path, status, contentType, body) by express-openapi-validator, which
// knows nothing of our code: each is given again by an app behind its middleware, with the published OpenAPI document.
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import express from 'express'
import validator from 'express-openapi-validator'
import { printFaults } from './read-stdin.mjs'

const [documentFile, folder] = process.argv.slice(2)
const ANSWER = 'x-answer'
const BATCH = 16

const answers = readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), 'utf8').trim().split('\n'))
const unique = [...new Set(answers)].map((line) => JSON.parse(line))
const faults = []
const app = express()
app.use((req, _res, next) => {
  req.answer = unique[Number(req.headers[ANSWER])]
  next()
})
app.use(
  validator.middleware({
    apiSpec: JSON.parse(readFileSync(documentFile, 'utf8')),
    validateApiSpec: false,
    validateRequests: false,
    validateSecurity: false,
    validateResponses: { onError: (error, _body, { answer }) => fault(answer, error) },
  }),
)
app.use(({ answer }, res) => {
  res.status(answer.status).type(answer.contentType).json(JSON.parse(answer.body))
})
// What the document has no word for: another route or content type.
app.use((error, { answer }, res, _next) => {
  fault(answer, error)
  res.end()
})

function fault({ method, path, status }, error) {
  faults.push(`${method} ${path} answered ${status}: ${error.message}`)
}

const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
const base = `http://127.0.0.1:${server.address().port}`
for (let from = 0; from < unique.length; from += BATCH) {
  await Promise.all(unique.slice(from, from + BATCH).map((_answer, index) => replay(from + index)))
}
server.closeAllConnections()
server.close()
console.error(`${unique.length} answers checked`)
printFaults(faults)

async function replay(index) {
  const { method, path } = unique[index]
  const answer = await fetch(base + path, { method, headers: { [ANSWER]: String(index) } })
  await answer.arrayBuffer()
}
