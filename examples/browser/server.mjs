// Gives out the page, and tokens for its stream: the API key stays here.
// The API lets the page in when it was started with CORS_ORIGINS=http://localhost:3000 (npm start takes it too).
// PORT=3000 ARIFTLY_URL=http://localhost:8080 ARIFTLY_API_KEY=… node server.mjs; build the page first:
// npx esbuild page.js --bundle --outfile=page.bundle.js
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { Ariftly } from '@ariftly/sdk'

const client = new Ariftly()
const html = `<!doctype html><title>A task</title><body data-url="${process.env.ARIFTLY_URL}"><ul></ul><script src="/page.js"></script>`

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error)
    response.writeHead(500).end()
  })
})

async function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
  if (pathname === '/token') {
    // Ask first who the visitor is, and whether the task is theirs. A token without a task reads all events.
    const task_id = searchParams.get('task_id')
    if (!task_id) return response.writeHead(400).end()
    const token = await client.streamTokens.create({ task_id, ttl_s: 600 })
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(token))
  } else if (pathname === '/page.js') {
    response.setHeader('Content-Type', 'text/javascript').end(await readFile('page.bundle.js'))
  } else {
    response.setHeader('Content-Type', 'text/html').end(html)
  }
}

server.listen(process.env.PORT, () => console.log('ready'))
