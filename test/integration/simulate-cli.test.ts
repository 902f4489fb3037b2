import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const BIN = fileURLToPath(new URL('../../simulations/bin/fedweave.js', import.meta.url))
const SMALL = ['simulate', 'mcmahan-2nn', '--clients', '4000', '--fraction', '0.001', '--rounds', '4', '--workers', '1']

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simulate-cli-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function fedweave(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [BIN, ...args], { maxBuffer: 2 ** 26 })) }
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string }
  }
}

function lastLine(stdout: string): Record<string, unknown> {
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>
}

describe('bad input ends with 2, the nearest name and the list', () => {
  test.each([
    [['simulate', 'mnsit'], 'there is no scenario "mnsit", did you mean mnist? There are: mnist, mnist-noniid, '],
    [['simulate'], 'which scenario? There are: mnist'],
    [['simulate', 'mnist', '--partition', 'dirichlet:beta=1'], 'has no parameter "beta"'],
    [['simulate', 'mnist', '--fraction', '1.5'], '--fraction takes a number from 0 to 1, got "1.5"'],
    [['simulate', 'mnist', '--sweep', 'colour=red'], 'a sweep cannot vary "colour". There are: clients, '],
  ])('fedweave %j', async (args, message) => {
    const { code, stdout, stderr } = await fedweave(...args, '--json')
    expect(stderr).toContain(message)
    expect(code).toBe(2)
    expect(lastLine(stdout)).toMatchObject({ error: { code: 'FL_USAGE' } })
  })

  test('an unknown option', async () => {
    const { code, stderr } = await fedweave('simulate', 'mnist', '--fractoin', '0.1')
    expect(code).toBe(2)
    expect(stderr).toContain('Did you mean --fraction?')
  })

  test('an impossible partition ends with 1 and says why', async () => {
    const { code, stderr } = await fedweave('simulate', 'mnist', '--partition', 'natural', '--out', folder)
    expect(code).toBe(1)
    expect(stderr).toContain('these data have no natural clients')
  })
})

test('a run that is killed goes on where it was, ends with the model of a run that was not, and leaves its report', async () => {
  const whole = lastLine((await fedweave(...SMALL, '--out', join(folder, 'whole'), '--json')).stdout)
  const out = join(folder, 'killed')
  const child = spawn(process.execPath, [BIN, ...SMALL, '--out', out], { stdio: ['ignore', 'pipe', 'inherit'] })
  await until(child, /^round 2\/4/)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const { stderr, stdout } = await fedweave(...SMALL, '--out', out, '--json')
  expect(stderr).toMatch(/goes on after round [23]/)
  expect(lastLine(stdout).modelHash).toBe(whole.modelHash)
  expect(await readdir(out)).toEqual(expect.arrayContaining(['report.html', 'result.json', 'rounds.csv', 'manifest.json']))
  expect(JSON.parse(await readFile(join(out, 'result.json'), 'utf8'))).toMatchObject({ modelHash: whole.modelHash })
  const paths = [join(folder, 'whole', 'result.json'), join(out, 'result.json')]
  const compared = JSON.parse((await fedweave('simulate', '--json', '--compare', ...paths)).stdout) as Record<string, string>[]
  expect(compared.map(({ rounds, model }) => [rounds, model])).toEqual(
    new Array(2).fill(['4', String(whole.modelHash).slice(0, 12)]),
  )
}, 480_000)

async function until(child: ChildProcess, line: RegExp): Promise<void> {
  for await (const read of createInterface({ input: child.stdout as NodeJS.ReadableStream })) if (line.test(read)) return
  throw new Error(`${child.spawnfile} ended without a line like ${line}`)
}
