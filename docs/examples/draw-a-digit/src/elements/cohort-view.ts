import type { Participant } from '../watch.ts'

/** How far each step brings a thread. */
const STEPS = ['ready', 'shared-keys', 'acknowledged', 'uploaded', 'confirmed', 'unmasked'] as const
const WORDS: Readonly<Record<string, string>> = {
  ready: 'is in',
  'shared-keys': 'trains',
  acknowledged: 'trains',
  uploaded: 'sent its masked update',
  confirmed: 'confirmed the others',
  unmasked: 'done',
  dropped: 'left',
}

/** Threads that fit beside each other. */
const MOST = 24

/** Everybody in the round as the threads of a loom, each as far as it has come. */
export class CohortView extends HTMLElement {
  /** `waiting`: how many are here while no round runs; `needed`: how many a round takes. */
  wait(waiting: number, needed: number): void {
    const threads = Array.from({ length: Math.max(needed, Math.min(waiting, MOST)) }, (_, i) => yarn(i < waiting ? 0.06 : 0))
    for (const thread of threads) thread.classList.add('empty')
    this.classList.remove('woven')
    this.removeAttribute('role')
    this.removeAttribute('aria-label')
    this.replaceChildren(...threads)
  }

  /** `woven`: the round is over, and all these are in the model. */
  show(participants: readonly Participant[], mine: string | undefined, woven: boolean): void {
    this.classList.toggle('woven', woven)
    this.setAttribute('role', 'list')
    this.setAttribute('aria-label', 'Who is in this round')
    this.replaceChildren(
      ...participants.map(({ client, progress }) => {
        const name = client === mine ? 'you' : client.slice(0, 4)
        const thread = yarn((STEPS.indexOf(progress as (typeof STEPS)[number]) + 1) / STEPS.length)
        thread.setAttribute('role', 'listitem')
        thread.classList.toggle('you', client === mine)
        thread.classList.toggle('gone', progress === 'dropped')
        thread.title = `${name} ${WORDS[progress] ?? ''}`
        ;(thread.children[1] as HTMLElement).textContent = name
        ;(thread.children[2] as HTMLElement).textContent = ` ${WORDS[progress] ?? ''}`
        return thread
      }),
    )
  }
}

/** One thread, spun as far as `reached`, from 0 to 1; its name, and words for those who do not see it, are empty. */
function yarn(reached: number): HTMLElement {
  const thread = document.createElement('span')
  thread.className = 'thread'
  thread.style.setProperty('--reached', String(reached))
  thread.innerHTML = '<span class="yarn"><span class="spun"></span></span><span class="name"></span><span class="hidden"></span>'
  return thread
}
