import { build } from 'vite'

/** Builds the app into a folder. Used by `fedweave serve --app` in the checkout. */
export async function buildApp(outDir) {
  await build({ configFile: `${import.meta.dirname}/vite.config.ts`, logLevel: 'error', build: { outDir } })
}
