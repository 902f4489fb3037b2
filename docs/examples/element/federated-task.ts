import { FederatedClient, type LocalDataset } from '@fedweave/client/browser'

/**
 * A button that takes part in a federated task, for any page:
 *
 *     <federated-task url="https://example.org" task="digits" wasm="/wasm/"></federated-task>
 *
 * Its property `examples` holds them. Events `round` and `failed` have the client's event, or its error, as `detail`.
 */
export class FederatedTask extends HTMLElement {
  examples: LocalDataset | undefined
  readonly #button = document.createElement('button')
  readonly #progress = document.createElement('progress')
  #client: FederatedClient | undefined

  connectedCallback(): void {
    this.#button.type = 'button'
    this.#button.textContent = 'Take part'
    this.#progress.hidden = true
    this.#button.onclick = () => (this.#client === undefined ? void this.#join() : this.#client.leave())
    this.replaceChildren(this.#button, this.#progress)
  }

  disconnectedCallback(): void {
    this.#client?.leave()
  }

  async #join(): Promise<void> {
    const dataset = this.examples
    if (dataset === undefined) return
    const wasmPaths = this.getAttribute('wasm')
    const [url, task] = [this.getAttribute('url') ?? location.origin, this.getAttribute('task') ?? '']
    const client = new FederatedClient({ url, task, dataset, ...(wasmPaths === null ? {} : { wasmPaths }) })
    this.#client = client
    client.on('progress', ({ step, steps }) => {
      this.#progress.value = step / steps
    })
    client.on('round', (detail) => this.dispatchEvent(new CustomEvent('round', { detail })))
    this.#show(true)
    try {
      await client.run()
    } catch (detail) {
      this.dispatchEvent(new CustomEvent('failed', { detail }))
    }
    this.#client = undefined
    this.#show(false)
  }

  #show(running: boolean): void {
    this.#button.textContent = running ? 'Leave' : 'Take part'
    this.#progress.hidden = !running
    this.#progress.value = 0
  }
}
