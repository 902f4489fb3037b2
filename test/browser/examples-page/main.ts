import { Examples } from '@fedweave/client/data'
import { createElement, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { FederatedTask } from '../../../docs/examples/element/federated-task.ts'
import { useFederatedClient } from '../../../docs/examples/react/use-federated-client.ts'

const examples = new Examples({ inputShape: [28, 28, 1], classes: 10 })
for (let digit = 0; digit < 10; digit++) examples.add(new Float32Array(784).fill(digit / 10), digit)
const { dataset } = examples

function Part() {
  const { state, round, summary, join } = useFederatedClient()
  const options = { url: location.origin, task: 'digits', dataset, wasmPaths: '/wasm/', database: 'react' }
  return createElement(
    'p',
    null,
    createElement('button', { type: 'button', onClick: () => join(options) }, 'Join'),
    createElement('output', null, `${state}, round ${round?.round ?? 'none'}, ${summary?.rounds ?? 0} counted`),
  )
}
createRoot(document.getElementById('react') as HTMLElement).render(createElement(StrictMode, null, createElement(Part)))

customElements.define('federated-task', FederatedTask)
const element = document.querySelector('federated-task') as FederatedTask
element.examples = dataset
element.addEventListener('round', (event) => element.setAttribute('outcome', (event as CustomEvent).detail.outcome))
