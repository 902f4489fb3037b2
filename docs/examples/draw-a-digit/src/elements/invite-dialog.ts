/** A link to this page, to copy or to scan. */
export class InviteDialog extends HTMLElement {
  readonly #dialog = document.createElement('dialog')

  connectedCallback(): void {
    this.append(this.#dialog)
  }

  async open(link: string): Promise<void> {
    const { renderSVG } = await import('uqr') // most people never ask for it
    this.#dialog.setAttribute('aria-label', 'Invite somebody')
    this.#dialog.innerHTML = `<h2>Invite somebody</h2>
      <p>Scan this with a phone, or send the link. It carries the keys by which their browser knows this server.</p>
      <div class="qr" role="img" aria-label="QR code of the link">${renderSVG(link, { border: 2 })}</div>
      <p class="link"><code></code></p>
      <p class="near" hidden>This page runs on this machine only: start the server with <code>--host 0.0.0.0</code> for others to reach it.</p>
      <form method="dialog" class="actions"><button type="button" class="quiet copy">Copy the link</button><button type="submit" class="main">Done</button></form>`
    ;(this.#dialog.querySelector('.link code') as HTMLElement).textContent = link
    ;(this.#dialog.querySelector('.near') as HTMLElement).hidden = !/^(localhost|127\.|\[::1\])/.test(location.hostname)
    this.#dialog.querySelector('.copy')?.addEventListener('click', async ({ currentTarget }) => {
      const said = await navigator.clipboard?.writeText(link).then(
        () => 'Copied',
        () => undefined,
      )
      ;(currentTarget as HTMLElement | null)?.replaceChildren(said ?? 'Copy it from above')
    })
    this.#dialog.showModal()
  }
}
