import '@fontsource-variable/instrument-sans/wght.css'
import '@fontsource/instrument-serif/400.css'
import '@fontsource/instrument-serif/400-italic.css'
import './style.css'
import { SharedModel } from '@fedweave/client/browser'
import { byId } from './dom.ts'
import { Drawings } from './drawings.ts'
import { AccuracyCurve } from './elements/accuracy-curve.ts'
import { CameraView } from './elements/camera-view.ts'
import { ClassBars } from './elements/class-bars.ts'
import { CohortView } from './elements/cohort-view.ts'
import { DrawPad } from './elements/draw-pad.ts'
import { InviteDialog } from './elements/invite-dialog.ts'
import { NoiseStrip } from './elements/noise-strip.ts'
import { invitationLink, readSettings, server } from './link.ts'
import { Recogniser } from './recognise.ts'
import { TakingPart } from './taking-part.ts'
import { showTray } from './tray.ts'
import { wasmPaths } from './wasm.ts'
import { type RoundView, watchTask } from './watch.ts'
import { megabytes, PHASES, percent, wordsFor } from './words.ts'

customElements.define('draw-pad', DrawPad)
customElements.define('class-bars', ClassBars)
customElements.define('camera-view', CameraView)
customElements.define('cohort-view', CohortView)
customElements.define('accuracy-curve', AccuracyCurve)
customElements.define('noise-strip', NoiseStrip)
customElements.define('invite-dialog', InviteDialog)

function say(words: string | undefined): void {
  byId('notice').hidden = words === undefined
  byId('notice').textContent = words ?? ''
}

const recogniser = new Recogniser(say)
let part: TakingPart | undefined
const drawings = new Drawings(() => {
  showTray(drawings)
  part?.dataChanged()
})
showTray(drawings)
byId('digits').append(
  ...Array.from({ length: 10 }, (_, label) => {
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = String(label)
    button.addEventListener('click', () => {
      const { digit } = recogniser
      if (digit === undefined) return
      drawings.add({ digit, label })
      recogniser.clear()
    })
    return button
  }),
)

start().catch((error: unknown) => {
  byId('state').textContent = 'not connected'
  say(wordsFor(error))
})

async function start(): Promise<void> {
  const settings = await readSettings()
  part = new TakingPart(settings, drawings, say)
  byId('invite').addEventListener('click', () => void byId<InviteDialog>('invitation').open(invitationLink(settings)))
  const { task, operatorKey } = settings
  const model = await SharedModel.open({ url: server, task, operatorKey, wasmPaths })
  showModel(model)
  recogniser.use(model)
  byId('export').addEventListener('click', () => exportModel(model).catch((error: unknown) => say(wordsFor(error))))
  watchTask(task, {
    changed: (view) => showRound(view),
    async committed() {
      if (await model.refresh().catch(() => false)) {
        showModel(model)
        void recogniser.look()
      }
    },
    reachable: (yes) => {
      byId('state').classList.toggle('out', !yes)
      byId('state').textContent = yes ? 'connected' : 'offline: recognition goes on'
    },
  })
}

function showModel(model: SharedModel): void {
  const { rounds, planned, certifies, model: spec } = model.record
  const last = rounds.at(-1)
  const parameters = spec.tensors.reduce((sum, { shape }) => sum + shape.reduce((n, side) => n * side, 1), 0)
  byId<HTMLButtonElement>('export').disabled = false
  byId('update-size').textContent = megabytes(2.5 * parameters)
  byId<AccuracyCurve>('curve').show(rounds, planned)
  if (last !== undefined) {
    const accuracy =
      last.evaluation?.accuracy === undefined
        ? ''
        : `, and reads ${percent(last.evaluation.accuracy)} of digits that it never saw`
    byId('learned').textContent =
      `${rounds.length} of ${planned} rounds are woven in. The last one summed ${last.survivors} people${accuracy}.`
  }
  byId('trust').textContent = certifies
    ? 'This server lets people in itself. Updates are safe from a server that follows the protocol and is curious.'
    : 'Who takes part is certified off this server. Updates are safe from it even if it breaks the protocol.'
}

function showRound({ connected, needed, round, phase, participants }: RoundView): void {
  const missing = needed - connected
  const people = connected === 0 ? 'Nobody is here yet' : `${connected} ${connected === 1 ? 'person is' : 'people are'} here`
  byId('state').textContent = `${connected} here`
  byId('round-title').textContent = phase === undefined || round === undefined ? 'No round is running' : `Round ${round}`
  byId('phase').textContent =
    phase !== undefined
      ? (PHASES[phase as keyof typeof PHASES] ?? phase)
      : missing > 0
        ? `${people}; ${missing} more ${missing === 1 ? 'is' : 'are'} needed.`
        : `${people}. The next round begins soon.`
  const cohort = byId<CohortView>('cohort')
  if (participants.length === 0) cohort.wait(connected, needed)
  else cohort.show(participants, part?.me, phase === undefined)
}

async function exportModel(model: SharedModel): Promise<void> {
  for (const [name, content] of Object.entries(await model.files())) {
    const link = document.createElement('a')
    link.download = name
    link.href = URL.createObjectURL(new Blob([content], { type: 'application/octet-stream' }))
    link.click()
    URL.revokeObjectURL(link.href)
  }
}
