import * as tf from '@tensorflow/tfjs'

/**
 * Makes a backend of TensorFlow.js the active one, and says whether it could. A failed `tf.setBackend` leaves
 * `tf.getBackend()` naming a backend that is not there; then the one from before is set again, or else `cpu`.
 */
export async function activate(name: string): Promise<boolean> {
  const before = tf.getBackend()
  if (await succeeds(name)) return true
  if (tf.getBackend() !== name) return false // the app has set another one in the meantime
  if (!before || before === name || !(await succeeds(before))) await succeeds('cpu')
  return false
}

async function succeeds(name: string): Promise<boolean> {
  try {
    return await withoutProcessHooks(() => tf.setBackend(name))
  } catch {
    return false // this build of TensorFlow.js has no such backend
  }
}

/** Whether a backend has been started and not shut down. */
export function isRunning(name: string): boolean {
  return tf.engine().registry[name] !== undefined
}

/** Frees a backend and all its memory, but leaves it startable. */
export function shutDown(name: string): void {
  const { factory, priority } = tf.engine().registryFactory[name] as { factory: () => tf.KernelBackend; priority: number }
  tf.removeBackend(name)
  tf.registerBackend(name, factory, priority)
}

/**
 * Emscripten's loader hooks `uncaughtException` and `unhandledRejection` of the whole Node process and throws from them,
 * which would change how the host app fails. Takes off what `start` added.
 */
async function withoutProcessHooks<T>(start: () => Promise<T>): Promise<T> {
  if (typeof process === 'undefined' || typeof process.rawListeners !== 'function') return start()
  const events = ['uncaughtException', 'unhandledRejection']
  const own = new Set(events.flatMap((event) => process.rawListeners(event)))
  try {
    return await start()
  } finally {
    for (const event of events) {
      for (const listener of process.rawListeners(event)) {
        if (!own.has(listener) && /ExitStatus|throw reason/.test(String(listener))) {
          process.removeListener(event, listener as () => void)
        }
      }
    }
  }
}
