import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encode as encodePng } from 'fast-png'
import jpeg from 'jpeg-js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseNpy } from '../../../simulations/src/data/npy.ts'
import { ownData } from '../../../simulations/src/data/own.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'own-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** An NPY file of version 1 as `numpy.save` writes it. */
function npy(type: string, shape: readonly number[], data: Uint8Array, order = 'False'): Uint8Array {
  const sides = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const dict = `{'descr': '${type}', 'fortran_order': ${order}, 'shape': (${sides}), }`
  const header = `${dict.padEnd(64 * Math.ceil((dict.length + 11) / 64) - 11)}\n`
  const start = Uint8Array.of(0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, header.length & 255, header.length >> 8)
  return new Uint8Array(Buffer.concat([start, new TextEncoder().encode(header), data]))
}

const bytesOf = (values: ArrayBufferView) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

async function csv(text: string) {
  const path = join(folder, 'table.csv')
  await writeFile(path, text)
  return ownData(path)
}

describe('a CSV file', () => {
  test('takes its last column for the class, and all others for inputs', async () => {
    const { train, test, classNames, natural } = await csv('a,b,kind\n1,2,cat\n3,4.5,ant\n-1,0,cat\n')
    expect(train).toEqual({ xs: Float32Array.of(1, 2, 3, 4.5, -1, 0), shape: [2], labels: Int32Array.of(1, 0, 1), classes: 2 })
    expect([classNames, test === train, natural]).toEqual([['ant', 'cat'], true, undefined])
  })

  test('a column `label` wins, and a column `client` says who has the row; numbers sort as numbers', async () => {
    const { train, classNames, natural } = await csv('label,client,a\n10,x,1\n9,y,2\n10,x,3\n')
    expect([...train.xs]).toEqual([1, 2, 3])
    expect([classNames, [...train.labels]]).toEqual([
      ['9', '10'],
      [1, 0, 1],
    ])
    expect([natural?.names, [...(natural?.train ?? [])]]).toEqual([
      ['x', 'y'],
      [0, 1, 0],
    ])
  })

  test.each([
    ['a,kind\none,1\n2,2\n', 'table.csv, row 1: a is "one", not a number'],
    ['kind\n1\n', 'table.csv has no rows, or no inputs'],
    ['a,kind\n1,x\n2,x\n', 'all examples are of the class x: expected two classes or more'],
  ])('%j is refused', async (text, message) => {
    await expect(csv(text)).rejects.toMatchObject({ code: 'FL_DATASET_SHAPE', message })
  })
})

describe('NPY files', () => {
  test.each([
    ['<f4', bytesOf(Float32Array.of(1, 2, 250))],
    ['<f8', bytesOf(Float64Array.of(1, 2, 250))],
    ['|u1', Uint8Array.of(1, 2, 250)],
    ['<i8', bytesOf(BigInt64Array.of(1n, 2n, 250n))],
    ['<i2', bytesOf(Int16Array.of(1, 2, 250))],
  ])('of %s are read', (type, data) => {
    expect(parseNpy(npy(type, [3], data), 'x.npy')).toEqual({ shape: [3], values: Float32Array.of(1, 2, 250) })
  })

  test('make a data set with an axis of channels for images, and natural clients', async () => {
    await writeFile(
      join(folder, 'x.npy'),
      npy(
        '|u1',
        [2, 2, 3],
        Uint8Array.from({ length: 12 }, (_, i) => i),
      ),
    )
    await writeFile(join(folder, 'y.npy'), npy('<i4', [2], bytesOf(Int32Array.of(7, 3))))
    await writeFile(join(folder, 'client.npy'), npy('<i4', [2], bytesOf(Int32Array.of(5, 5))))
    const { train, classNames, natural } = await ownData(folder)
    expect([train.shape, [...train.labels], classNames]).toEqual([
      [2, 3, 1],
      [1, 0],
      ['3', '7'],
    ])
    expect(natural?.names).toEqual(['5'])
  })

  test.each([
    [npy('<c8', [1], new Uint8Array(8)), 'its elements are "<c8"'],
    [npy('|u1', [3], new Uint8Array(2)), 'the shape [3] needs '],
    [npy('|u1', [1], new Uint8Array(1), 'True'), 'it is in Fortran order'],
    [new Uint8Array(20), 'it does not start as an NPY file does'],
  ])('that are something else are refused', (bytes, message) => {
    expect(() => parseNpy(bytes, 'x.npy')).toThrow(
      expect.objectContaining({ code: 'FL_DATASET_SHAPE', message: expect.stringContaining(message) }),
    )
  })
})

describe('folders of images', () => {
  const colours = (value: number, channels: number) => new Uint8Array(4 * 3 * channels).fill(value)
  async function image(name: string, bytes: Uint8Array) {
    await mkdir(join(folder, name, '..'), { recursive: true })
    await writeFile(join(folder, name), bytes)
  }

  test('give a class each, grey or in colours, without alpha', async () => {
    await image('dog/1.png', encodePng({ width: 4, height: 3, data: colours(255, 4), channels: 4, depth: 8 }))
    await image('cat/1.PNG', encodePng({ width: 4, height: 3, data: colours(51, 3), channels: 3, depth: 8 }))
    await image('cat/notes.txt', new Uint8Array(3))
    const { train, classNames } = await ownData(folder)
    expect([train.shape, [...train.labels], classNames]).toEqual([
      [3, 4, 3],
      [0, 1],
      ['cat', 'dog'],
    ])
    expect([...new Set(train.xs.subarray(0, 36))]).toEqual([Math.fround(0.2)])
    expect([...new Set(train.xs.subarray(36))]).toEqual([1])
  })

  test('may hold JPEG', async () => {
    for (const name of ['a/1.jpg', 'b/1.jpeg'])
      await image(name, jpeg.encode({ width: 4, height: 3, data: colours(128, 4) }, 100).data)
    const { train } = await ownData(folder)
    expect(train.shape).toEqual([3, 4, 3])
    expect(train.xs.every((value) => Math.abs(value - 128 / 255) < 0.02)).toBe(true)
  })

  test('of different sizes, or with what is no image, are refused by name', async () => {
    await image('a/1.png', encodePng({ width: 4, height: 3, data: colours(1, 1), channels: 1, depth: 8 }))
    await image('b/1.png', encodePng({ width: 3, height: 4, data: colours(1, 1), channels: 1, depth: 8 }))
    await expect(ownData(folder)).rejects.toThrow(/b\/1\.png: it is 3 x 4 x 1, the first image 4 x 3 x 1/)
    await image('b/1.png', new Uint8Array(9))
    await expect(ownData(folder)).rejects.toThrow(/b\/1\.png: it cannot be decoded/)
  })
})
