import { defineConfig } from 'vitest/config'
import { defenceSwitches } from './test/attacks/without.ts'

const conditions = ['source', 'module', 'node', 'default']

/** Whatever is waited for comes sooner or later on a busy machine: only a test's own limit ends the wait. */
const common = { pool: 'forks' as const, hookTimeout: 120_000, expect: { poll: { timeout: 60_000 } } }

/** One project for each kind of test, so that `npm test -- --project unit` runs in seconds. */
function project(name: string, options: { testTimeout: number; fileParallelism?: boolean }) {
  return {
    resolve: { conditions },
    ssr: { resolve: { conditions, externalConditions: conditions } },
    test: { name, include: [`test/${name}/**/*.test.ts`], ...common, ...options },
  }
}

export default defineConfig({
  test: {
    projects: [
      project('unit', { testTimeout: 20_000 }),
      project('property', { testTimeout: 120_000 }),
      { ...project('attacks', { testTimeout: 120_000 }), plugins: [defenceSwitches()] },
      project('architecture', { testTimeout: 60_000 }),
      project('integration', { testTimeout: 120_000 }),
      project('browser', { testTimeout: 180_000, fileParallelism: false }),
      project('e2e', { testTimeout: 300_000 }),
    ],
  },
})
