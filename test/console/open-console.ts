import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'

/** A page of the console, with what it did that it must never do. */
export interface ConsolePage {
  /** Addresses of other origins. */
  readonly foreign: readonly string[]
  /** Errors and warnings of the page, such as a violation of its policy. */
  readonly complaints: readonly string[]
  /** Requests whose address holds the key. */
  readonly leaks: readonly string[]
  readonly page: Page
  /** Opens a page of the console by its fragment, such as `/events`. */
  readonly go: (fragment: string) => Promise<void>
}

export interface OpenOptions {
  /** Of the server, or of a proxy before it. */
  readonly url: string
  readonly apiKey: string
  readonly theme?: 'light' | 'dark'
  readonly width?: number
  /** The first page; default: live. */
  readonly fragment?: string
}

/** Opens the console and signs in with a key, by keyboard. */
export async function openConsole(browser: Browser, o: OpenOptions): Promise<ConsolePage> {
  const viewport = { width: o.width ?? 1_280, height: 800 }
  const context = await browser.newContext({ viewport, colorScheme: o.theme ?? 'light', reducedMotion: 'reduce' })
  const page = await context.newPage()
  const foreign: string[] = []
  const complaints: string[] = []
  const leaks: string[] = []
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(`${o.url}/`) && !url.startsWith('data:')) foreign.push(url)
    if (url.includes(o.apiKey)) leaks.push(url)
  })
  page.on('console', (message) => {
    // The browser writes a line for each answer that is an error; these are part of some tests.
    const isOfAnswer = message.text().startsWith('Failed to load resource')
    if (['error', 'warning'].includes(message.type()) && !isOfAnswer) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(`${o.url}/console${o.fragment === undefined ? '' : `#${o.fragment}`}`)
  await signIn(page, o.apiKey)
  return {
    page,
    foreign,
    complaints,
    leaks,
    async go(fragment) {
      await page.evaluate(`location.hash = ${JSON.stringify(fragment)}`)
    },
  }
}

/** Pastes a key into the form, and sends it by Enter. */
export async function signIn(page: Page, apiKey: string): Promise<void> {
  await page.getByRole('heading', { name: 'Ariftly console' }).waitFor()
  await page.getByLabel('API key').focus()
  await page.keyboard.insertText(apiKey)
  await page.keyboard.press('Enter')
  await page.locator('.sign-in').waitFor({ state: 'detached' })
}

const ROOT = join(import.meta.dirname, '../..')
/** Its script unchanged: what runs in a page is no module of the repository. */
const AXE = readFileSync(join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8')

/** What is wrong for assistive technology with what the page shows, by axe-core with all its rules of WCAG 2.2 A and AA. */
export async function violationsOf(page: Page): Promise<readonly string[]> {
  if (!(await page.evaluate<boolean>('globalThis.axe !== undefined'))) await page.evaluate(AXE)
  const run = `(async () => {
    const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
    const { violations } = await axe.run(document, { runOnly, resultTypes: ['violations'] })
    return violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ target, failureSummary }) => target.join(' ') + ' ' + failureSummary).join('; '))
  })()`
  return await page.evaluate<readonly string[]>(run)
}
