/** Settings of the reference; it neither loads fonts nor reports anywhere. https://github.com/scalar/scalar */
const SETTINGS = {
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: 'never',
  agent: { disabled: true },
  mcp: { disabled: true },
} as const

/** How the samples of the document name the address in a shell, TypeScript and Python. `$ARIFTLY_URL` is the last: it is no part of the others. */
const ADDRESSES = ['${process.env.ARIFTLY_URL}', "{os.environ['ARIFTLY_URL']}", '$ARIFTLY_URL']

/** The page of the API reference. The second script starts the first. */
export const REFERENCE_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <link rel="icon" href="/favicon.ico" />
    <title>Ariftly Events API</title>
  </head>
  <body>
    <noscript>The reference needs JavaScript. The document is <a href="/openapi.json">/openapi.json</a>, the <a href="/docs/guides">guides</a> need none.</noscript>
    <div id="reference"></div>
    <script src="/docs/reference.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`

/**
 * Shows the document with the page's address in its samples; only the browser knows that address behind a proxy. If the answer
 * is no document, the reference reports it.
 */
export const REFERENCE_START = `const settings = ${JSON.stringify(SETTINGS)}
const show = (document) => Scalar.createApiReference('#reference', { ...settings, ...document })
const withAddress = (text) => ${JSON.stringify(ADDRESSES)}.reduce((done, name) => done.replaceAll(name, location.origin), text)
fetch('/openapi.json')
  .then((response) => response.text())
  .then((text) => ({ content: { ...JSON.parse(withAddress(text)), servers: [{ url: location.origin }] } }))
  .catch(() => ({ url: '/openapi.json' }))
  .then(show)
`
