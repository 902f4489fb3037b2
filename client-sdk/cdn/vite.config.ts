import { defineConfig } from 'vite'

/** Browsers start no worker from another origin, but a worker of the page's own that imports one. */
const WORKER =
  'new(class extends Worker{constructor(u,o){super(new URL(u,import.meta.url).origin===location.origin?u:' +
  'URL.createObjectURL(new Blob(["import "+JSON.stringify(String(u))],{type:"text/javascript"})),o)}})('

const workersFromElsewhere = () => ({
  name: 'workers-from-elsewhere',
  renderChunk: (code: string) => (code.includes('new Worker(') ? code.replaceAll('new Worker(', WORKER) : null),
})

/** One folder that needs nothing else: `fedweave.js`, its workers, TensorFlow.js, and the binary that it computes with. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  resolve: { conditions: ['source', 'module', 'browser', 'default'] },
  plugins: [workersFromElsewhere()],
  worker: { format: 'es', plugins: () => [workersFromElsewhere()] },
  build: {
    outDir: '../dist/cdn',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: false,
    chunkSizeWarningLimit: 3000,
    rolldownOptions: {
      input: `${import.meta.dirname}/index.ts`,
      preserveEntrySignatures: 'strict',
      output: { entryFileNames: 'fedweave.js' },
    },
  },
})
