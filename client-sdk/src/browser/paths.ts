/** Folder of the binaries of `@tensorflow/tfjs-backend-wasm`, or each one's URL by its name. */
export type WasmPaths = string | Readonly<Record<string, string>>

/** As an option for a worker, which has another base URL than its page. */
export function placesOf(paths: WasmPaths | undefined): { readonly wasmPaths?: WasmPaths } {
  if (paths === undefined) return {}
  const at = (path: string) => new URL(path, document.baseURI).href
  if (typeof paths === 'string') return { wasmPaths: at(paths) }
  return { wasmPaths: Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, at(path)])) }
}

/** The database of one server's clients in this browser, unless the app names another. */
export function databaseOf({ database, url }: { readonly database?: string; readonly url: string }): string {
  return database ?? `fedweave ${url}`
}
