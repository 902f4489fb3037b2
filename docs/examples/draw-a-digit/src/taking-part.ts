import { FederatedClient, type LocalDataset, type WaitReason } from '@fedweave/client/browser'
import { byId } from './dom.ts'
import { borrowShard, type Drawings } from './drawings.ts'
import type { NoiseStrip } from './elements/noise-strip.ts'
import { type Settings, server } from './link.ts'
import { wasmPaths } from './wasm.ts'
import { megabytes, percent, WAITING, wordsFor } from './words.ts'

/** The form that joins, and what training tells while it runs. */
export class TakingPart {
  readonly #settings: Settings
  readonly #drawings: Drawings
  readonly #say: (words: string | undefined) => void
  readonly #form = byId<HTMLFormElement>('join')
  #client: FederatedClient | undefined
  #paused = false
  #sent: { readonly updates: number; readonly bytes: number } = { updates: 0, bytes: 0 }
  #shard: Promise<LocalDataset> | undefined
  /** This browser's name in the rounds, once the server knows it. */
  me: string | undefined

  constructor(settings: Settings, drawings: Drawings, say: (words: string | undefined) => void) {
    this.#settings = settings
    this.#drawings = drawings
    this.#say = say
    byId('borrowed').textContent = `${settings.shards.examples} digits that others wrote`
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#start()
    })
    this.#form.addEventListener('change', () => this.#client?.dataChanged())
    byId('pause').addEventListener('click', () => this.#pause())
    byId('leave').addEventListener('click', () => this.#client?.leave())
  }

  /** The drawings have changed. */
  dataChanged(): void {
    if (this.#source === 'drawings') this.#client?.dataChanged()
  }

  get #source(): string {
    return String(new FormData(this.#form).get('data'))
  }

  async #dataset(): Promise<LocalDataset> {
    if (this.#source === 'drawings') return this.#drawings.dataset
    this.#shard ??= borrowShard(pickShard(this.#settings.shards.count), this.#settings.shards.examples)
    return this.#shard
  }

  async #start(): Promise<void> {
    if (this.#client !== undefined) return
    const { task, operatorKey, enrolmentKey, token } = this.#settings
    const ticked = new FormData(this.#form)
    const client = new FederatedClient({
      url: server,
      task,
      dataset: () => this.#dataset(),
      pins: { operatorKey, enrolmentKey },
      consent: askConsent,
      conditions: {
        minimumExamples: 10,
        ...(ticked.has('visible') ? { page: 'visible' } : {}),
        charging: ticked.has('charging'),
        unmetered: ticked.has('unmetered'),
      },
      wasmPaths,
      ...(token === undefined ? {} : { token }),
    })
    this.#client = client
    this.#follow(client)
    this.#show(true)
    this.#say(undefined)
    try {
      const { rounds } = await client.run()
      this.#step(undefined)
      this.#say(rounds === 0 ? undefined : `Thank you: your updates counted in ${rounds} ${rounds === 1 ? 'round' : 'rounds'}.`)
    } catch (error) {
      this.#step(undefined)
      if ((error as { code?: string }).code !== 'FL_STOPPED') this.#say(wordsFor(error))
    }
    this.#client = undefined
    this.#show(false)
  }

  #follow(client: FederatedClient): void {
    client.on('connection', (event) => {
      if (event.state === 'connected') this.me = event.client
      this.#step(
        event.state === 'connected' ? 'You are in. The next round begins soon.' : 'The server is out of reach; trying again.',
      )
    })
    client.on('phase', ({ phase }) => phase === 'setup' && this.#step('Fetching the shared model', 0))
    client.on('progress', ({ step, steps, accuracy = 0 }) =>
      this.#step(step < steps ? `Training on this device: ${percent(accuracy)} right` : 'Masking the update', step / steps),
    )
    client.on('uploaded', ({ bytes }) => {
      this.#sent = { updates: this.#sent.updates + 1, bytes: this.#sent.bytes + bytes }
      const { updates, bytes: all } = this.#sent
      byId('sent').textContent = `${updates} × ${megabytes(bytes)}${updates > 1 ? `, ${megabytes(all)} in all` : ''}`
      byId<NoiseStrip>('noise').shuffle()
      this.#step(`Masked update sent, ${megabytes(bytes)}. Waiting for the others`, 1)
    })
    client.on('round', ({ outcome, code }) =>
      this.#step(
        outcome === 'committed' ? 'Your update is part of the model.' : `The round was given up (${code}); nothing was revealed.`,
      ),
    )
    client.on('waiting', ({ reasons }) => reasons.length > 0 && this.#step(reasons.map((reason) => waitingFor(reason)).join(' ')))
    client.on('warning', ({ code }) => {
      if (code === 'FL_STORAGE_DENIED') this.#say(wordsFor({ code }))
      if (code === 'FL_TOO_FEW_CLIENTS') this.#step('Waiting for others. Invite somebody: a round takes three people.')
    })
  }

  #pause(): void {
    this.#paused = !this.#paused
    if (this.#paused) this.#client?.pause()
    else this.#client?.resume()
    byId('pause').textContent = this.#paused ? 'Go on' : 'Pause'
  }

  #show(running: boolean): void {
    this.#paused = false
    byId('pause').textContent = 'Pause'
    for (const id of ['pause', 'leave']) byId(id).hidden = !running
    byId('start').hidden = running
    for (const box of this.#form.querySelectorAll<HTMLInputElement>('input[type=checkbox]')) box.disabled = running
  }

  #step(words: string | undefined, share?: number): void {
    byId('step').hidden = words === undefined
    byId('step-words').textContent = words ?? ''
    byId('progress').hidden = share === undefined
    byId<HTMLProgressElement>('progress').value = share ?? 0
  }
}

function waitingFor(reason: WaitReason): string {
  return WAITING[reason]
}

/** Any part will do, as long as not everybody takes the same. */
function pickShard(count: number): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] as number) % count
}

function askConsent(): Promise<boolean> {
  const dialog = byId<HTMLDialogElement>('consent')
  dialog.returnValue = 'no'
  dialog.showModal()
  return new Promise((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true }))
}
