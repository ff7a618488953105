/** Settings of the reference; it neither loads fonts nor reports anywhere. https://github.com/scalar/scalar */
const SETTINGS = {
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: 'never',
  agent: { disabled: true },
  mcp: { disabled: true },
} as const

/** The page of the API reference; the script reads the settings from the first tag. */
export const REFERENCE_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <link rel="icon" href="/favicon.ico" />
    <title>Ariftly Events API</title>
  </head>
  <body>
    <noscript>The reference needs JavaScript. The document is <a href="/openapi.json">/openapi.json</a>.</noscript>
    <script id="api-reference" data-url="/openapi.json" data-configuration='${JSON.stringify(SETTINGS)}'></script>
    <script src="/docs/reference.js"></script>
  </body>
</html>
`
