import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SimulationResult } from '../engine/record.ts'
import { clientPlots } from './client-plots.ts'
import { reportPage } from './html.ts'
import type { Manifest } from './manifest.ts'
import { rasteriser } from './png.ts'
import { roundPlots } from './round-plots.ts'
import { clientsCsv, roundsCsv } from './tables.ts'

/** Writes everything that a run leaves behind into `folder`, and says whether plots are there as PNG too. */
export async function writeReport(
  folder: string,
  result: SimulationResult,
  manifest: Manifest,
): Promise<{ readonly png: boolean }> {
  const figures = [...roundPlots(result), ...clientPlots(result)]
  const plots = join(folder, 'plots')
  await mkdir(plots, { recursive: true })
  const rasterise = await rasteriser()
  await Promise.all([
    writeFile(join(folder, 'result.json'), `${JSON.stringify(result, null, 2)}\n`),
    writeFile(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`),
    writeFile(join(folder, 'rounds.csv'), roundsCsv(result)),
    writeFile(join(folder, 'clients.csv'), clientsCsv(result)),
    writeFile(join(folder, 'report.html'), reportPage(result, manifest, figures)),
    ...figures.map(({ name, svg }) => writeFile(join(plots, `${name}.svg`), svg)),
    ...(rasterise === undefined ? [] : figures.map(({ name, svg }) => writeFile(join(plots, `${name}.png`), rasterise(svg)))),
  ])
  return { png: rasterise !== undefined }
}
