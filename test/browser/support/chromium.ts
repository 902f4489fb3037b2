import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium } from 'playwright-core'

/** Where Debian puts it; another one can be named. */
const EXECUTABLE = process.env.FEDWEAVE_CHROMIUM ?? '/usr/bin/chromium'

const FLAGS = [
  '--no-sandbox', // Chromium's sandbox does not run as root
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * Whether to run the tests that need Chromium. Without it they are skipped, loudly, where a person runs them; in CI they
 * run and fail.
 */
export function hasChromium(): boolean {
  if (existsSync(EXECUTABLE)) return true
  if (process.env.CI === 'true')
    throw new Error(`there is no Chromium at ${EXECUTABLE}: install it, or name one in FEDWEAVE_CHROMIUM`)
  console.warn(
    `\n!!! NO CHROMIUM at ${EXECUTABLE}: the browser tests are SKIPPED. Install it, or name one in FEDWEAVE_CHROMIUM.\n`,
  )
  return false
}

/** A headless browser with a profile of its own, which goes when the browser is closed. */
export function launch(flags: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, headless: true, args: [...FLAGS, ...flags] })
}

/** A headless browser on the profile in that folder, with the preferences that lie there. */
export function launchProfile(folder: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, { executablePath: EXECUTABLE, headless: true, args: FLAGS })
}
