import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { FederationApi, Joining } from '../federation-page/api.ts'

/** Persons at one browser, each with a profile of their own, who open pages with a client on them. */
export class People {
  readonly #browser: Browser
  readonly #contexts: BrowserContext[] = []

  constructor(browser: Browser) {
    this.#browser = browser
  }

  /** A new person opens the page. An error that the page does not catch is told, and fails nothing by itself. */
  async open(url: string): Promise<Page> {
    const context = await this.#browser.newContext()
    this.#contexts.push(context)
    const page = await context.newPage()
    page.on('pageerror', (error) => console.error('in the page:', error))
    await page.goto(url)
    return page
  }

  async leave(): Promise<void> {
    await Promise.all(this.#contexts.splice(0).map((context) => context.close()))
  }
}

/** Joins the task with the examples and the seed of that client. */
export async function join(page: Page, client: number, options: Partial<Joining> = {}): Promise<Page> {
  const joining = { task: 'digits', examples: String(client), seed: client, ...options }
  await page.evaluate((asked) => window.client.join(asked), joining)
  return page
}

export function heard(page: Page, ...[type, fields]: Parameters<FederationApi['heard']>): Promise<void> {
  return page.evaluate(([kind, wanted]) => window.client.heard(kind, wanted), [type, fields] as const)
}

export function outcome(page: Page) {
  return page.evaluate(() => window.client.outcome())
}
