import { type PlotOptions, plot } from '@observablehq/plot'
import { parseHTML } from 'linkedom'

/** Readable for the colour-blind (Okabe and Ito 2008), and on paper. */
export const COLOURS = { blue: '#0072b2', orange: '#d55e00', green: '#009e73', grey: '#999999', yellow: '#e69f00' } as const

/** Draws without a browser. Returns a whole SVG document. */
export function draw(options: PlotOptions): string {
  const { document } = parseHTML('<html><body></body></html>')
  const figure = plot({
    width: 680,
    height: 300,
    marginLeft: 56,
    ...options,
    document: document as unknown as Document,
    figure: false,
  })
  figure.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  figure.setAttribute('font-family', 'sans-serif')
  return figure.outerHTML
}
