/** Side of an MNIST image, and of the box that its ink fills. */
export const SIDE = 28
const BOX = 20

/** Grey values from 0 (paper) to 1 (ink), row by row. */
export interface Ink {
  readonly values: Float32Array
  readonly width: number
  readonly height: number
}

/** Ink fainter than that is paper. */
const FAINT = 0.1

/**
 * Brings ink into the form of MNIST: its bounding box scaled into 20 x 20 with the ratio of its sides kept, and set into 28 x 28 with
 * the centre of its mass in the middle (LeCun, Cortes, Burges, "The MNIST database"). Undefined where there is none.
 */
export function toDigit(ink: Ink): Float32Array | undefined {
  const box = boundingBox(ink)
  if (box === undefined) return undefined
  const scale = BOX / Math.max(box.width, box.height)
  const [width, height] = [Math.max(1, Math.round(box.width * scale)), Math.max(1, Math.round(box.height * scale))]
  const small = shrink(ink, box, width, height)
  const { x, y } = centreOf(small, width, height)
  const [left, top] = [place(SIDE / 2 - x, width), place(SIDE / 2 - y, height)]
  const digit = new Float32Array(SIDE * SIDE)
  for (let row = 0; row < height; row++) digit.set(small.subarray(row * width, (row + 1) * width), (top + row) * SIDE + left)
  return digit
}

/** The offset nearest to `wanted` that keeps `length` pixels inside. */
function place(wanted: number, length: number): number {
  return Math.min(SIDE - length, Math.max(0, Math.round(wanted)))
}

interface Box {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

function boundingBox({ values, width, height }: Ink): Box | undefined {
  let [left, top, right, bottom] = [width, height, -1, -1]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((values[y * width + x] as number) < FAINT) continue
      left = Math.min(left, x)
      right = Math.max(right, x)
      top = Math.min(top, y)
      bottom = Math.max(bottom, y)
    }
  }
  return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 }
}

/** Each small pixel is the mean of the part of the box that it covers, fractions of pixels by their share. */
function shrink({ values, width }: Ink, box: Box, toWidth: number, toHeight: number): Float32Array {
  const out = new Float32Array(toWidth * toHeight)
  const [stepX, stepY] = [box.width / toWidth, box.height / toHeight]
  for (let row = 0; row < toHeight; row++) {
    for (let column = 0; column < toWidth; column++) {
      let [sum, area] = [0, 0]
      for (const [y, shareY] of shares(row * stepY, (row + 1) * stepY)) {
        for (const [x, shareX] of shares(column * stepX, (column + 1) * stepX)) {
          sum += shareX * shareY * (values[(box.top + y) * width + box.left + x] ?? 0)
          area += shareX * shareY
        }
      }
      out[row * toWidth + column] = Math.min(1, sum / area)
    }
  }
  return out
}

/** The pixels that the span touches, each with the length of it that lies in the span. */
function* shares(from: number, to: number): Generator<[pixel: number, share: number]> {
  for (let pixel = Math.floor(from); pixel < to - 1e-9; pixel++) yield [pixel, Math.min(to, pixel + 1) - Math.max(from, pixel)]
}

function centreOf(values: Float32Array, width: number, height: number): { readonly x: number; readonly y: number } {
  let [mass, x, y] = [0, 0, 0]
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const value = values[row * width + column] as number
      mass += value
      x += value * (column + 0.5)
      y += value * (row + 0.5)
    }
  }
  return { x: x / mass, y: y / mass }
}

/** Ink of a picture of dark strokes on lighter paper, as a camera gives it: darker than its surroundings counts. */
export function inkOfPhoto({ data, width, height }: Pick<ImageData, 'data' | 'width' | 'height'>): Ink {
  const grey = new Float32Array(width * height)
  for (let i = 0; i < grey.length; i++) {
    const [red, green, blue] = [data[4 * i] as number, data[4 * i + 1] as number, data[4 * i + 2] as number]
    grey[i] = (0.299 * red + 0.587 * green + 0.114 * blue) / 255
  }
  const paper = meanAround({ values: grey, width, height }, Math.round(width / 6))
  const darker = grey.map((value, i) => Math.max(0, (paper[i] as number) - value))
  const most = darker.reduce((a, b) => Math.max(a, b), 0)
  if (most < 0.12) return { values: new Float32Array(grey.length), width, height } // an even surface
  return { values: darker.map((value) => Math.min(1, Math.max(0, (value / most - 0.3) / 0.4))), width, height }
}

/** Mean over the square of `radius` around each pixel, by a table of sums. */
function meanAround({ values, width, height }: Ink, radius: number): Float32Array {
  const sums = new Float64Array((width + 1) * (height + 1))
  for (let y = 0; y < height; y++) {
    let row = 0
    for (let x = 0; x < width; x++) {
      row += values[y * width + x] as number
      sums[(y + 1) * (width + 1) + x + 1] = (sums[y * (width + 1) + x + 1] as number) + row
    }
  }
  const at = (x: number, y: number) => sums[y * (width + 1) + x] as number
  return values.map((_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)]
    const [left, top] = [Math.max(0, x - radius), Math.max(0, y - radius)]
    const [right, bottom] = [Math.min(width, x + radius + 1), Math.min(height, y + radius + 1)]
    return (at(right, bottom) - at(left, bottom) - at(right, top) + at(left, top)) / ((right - left) * (bottom - top))
  })
}
