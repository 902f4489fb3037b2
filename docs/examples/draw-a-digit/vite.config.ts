import { defineConfig } from 'vite'

/** Relative paths: the app works below any path of a server. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  resolve: { conditions: ['source', 'module', 'browser', 'default'] },
  worker: { format: 'es' },
  build: { emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 3000 },
})
