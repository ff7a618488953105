import { describe, expect, test } from '@jest/globals'
import { renderGuide } from './render-guide.ts'
import { rewriteLinks } from './rewrite-links.ts'

describe('a link of a page', () => {
  test.each([
    ['[events](ingest.md)', '[events](/docs/guides/producing.md)'],
    ['[ingest.md](ingest.md)', '[Producing events](/docs/guides/producing.md)'],
    ['[order](ingest.md#order-within-a-millisecond)', '[order](/docs/guides/producing.md#order-within-a-millisecond)'],
    ['[the SDK](../packages/sdk/README.md)', '[the SDK](/docs/guides/sdk.md)'],
    ['[settings](configuration.md#api)', 'settings (`docs/configuration.md` in the repository)'],
    ['[`configuration.md`](configuration.md)', '`docs/configuration.md`'],
    ['[a standard](https://example.com/)', '[a standard](https://example.com/)'],
    ['[below](#below)', '[below](#below)'],
    ['<!-- a note -->\nText', 'Text'],
    ['```md\n[a](ingest.md)\n```\n', '```md\n[a](ingest.md)\n```\n'],
  ])('%s is served as %s', (text, served) => {
    expect(rewriteLinks(text, 'docs/webhooks.md')).toBe(served)
  })
})

describe('a page', () => {
  test('has the fragments that the repository shows, each once', () => {
    const { title, sections, html } = renderGuide(
      '# The `API`\n\n## It\'s "so"\n\n## Again\n\n## Again\n\n### Inside\n',
    )
    expect(title).toBe('The API')
    expect(sections.map(({ id }) => id)).toEqual(['its-so', 'again', 'again-1'])
    expect(html).toContain('<h3 id="inside">Inside</h3>')
  })

  test('shows code as text, links to documents of the host and to guides as pages', () => {
    const { html } = renderGuide(
      '# A\n\n`/docs` and `<b>` [there](/docs/guides/kafka.md#examples)\n\n```sh\na < b && c\n```\n',
    )
    expect(html).toContain('<a href="/docs"><code>/docs</code></a>')
    expect(html).toContain('<code>&lt;b&gt;</code>')
    expect(html).toContain('<a href="/docs/guides/kafka#examples">there</a>')
    expect(html).toContain('<pre tabindex="0"><code>a &lt; b &amp;&amp; c</code></pre>')
  })

  test.each(['Text', '# A\n\n<script>1</script>\n', '# A\n\nText <b>bold</b>\n'])('is not made of: %s', (text) => {
    expect(() => renderGuide(text)).toThrow(Error)
  })
})
