import { backend_util } from '@tensorflow/tfjs'

/** The sizes of one two-dimensional convolution or pooling over NHWC tensors; `pad*` are in pixels, `stride*` too. */
export interface Geometry {
  readonly batch: number
  readonly inHeight: number
  readonly inWidth: number
  readonly inChannels: number
  readonly filterHeight: number
  readonly filterWidth: number
  readonly outHeight: number
  readonly outWidth: number
  readonly outChannels: number
  readonly strideHeight: number
  readonly strideWidth: number
  readonly dilationHeight: number
  readonly dilationWidth: number
  readonly padTop: number
  readonly padBottom: number
  readonly padLeft: number
  readonly padRight: number
}

type ComputeConv = typeof backend_util.computeConv2DInfo
type ComputePool = typeof backend_util.computePool2DInfo

/** The attributes of tfjs's convolution kernels that decide the geometry. */
export interface ConvOptions {
  readonly strides: number | [number, number]
  readonly pad: Parameters<ComputeConv>[4]
  readonly dilations?: number | [number, number]
  readonly dimRoundingMode?: Parameters<ComputeConv>[5]
  readonly dataFormat?: 'NHWC' | 'NCHW'
}

/** The attributes of tfjs's pooling kernels that decide the geometry. */
export interface PoolOptions {
  readonly filterSize: number | [number, number]
  readonly strides: number | [number, number]
  readonly pad: Parameters<ComputePool>[4]
  readonly dimRoundingMode?: Parameters<ComputePool>[5]
}

/** `filterShape`: [height, width, inChannels, outChannels or multiplier]. Throws for NCHW, as tfjs's own wasm kernels do. */
export function convGeometry(
  kernel: string,
  xShape: readonly number[],
  filterShape: readonly number[],
  options: ConvOptions,
  depthwise = false,
): Geometry {
  const { strides, pad, dilations = 1, dimRoundingMode, dataFormat = 'NHWC' } = options
  if (dataFormat !== 'NHWC') throw new Error(`${kernel} on tfjs's wasm backend needs NHWC tensors, got ${dataFormat}`)
  const [x, filter] = [quadruple(xShape), quadruple(filterShape)]
  return fromInfo(backend_util.computeConv2DInfo(x, filter, strides, dilations, pad, dimRoundingMode, depthwise))
}

export function poolGeometry(xShape: readonly number[], options: PoolOptions): Geometry {
  const { filterSize, strides, pad, dimRoundingMode } = options
  return fromInfo(backend_util.computePool2DInfo(quadruple(xShape), filterSize, strides, 1, pad, dimRoundingMode))
}

function fromInfo(info: backend_util.Conv2DInfo): Geometry {
  const { padInfo } = info
  return {
    batch: info.batchSize,
    inHeight: info.inHeight,
    inWidth: info.inWidth,
    inChannels: info.inChannels,
    filterHeight: info.filterHeight,
    filterWidth: info.filterWidth,
    outHeight: info.outHeight,
    outWidth: info.outWidth,
    outChannels: info.outChannels,
    strideHeight: info.strideHeight,
    strideWidth: info.strideWidth,
    dilationHeight: info.dilationHeight,
    dilationWidth: info.dilationWidth,
    padTop: padInfo.top,
    padBottom: padInfo.bottom,
    padLeft: padInfo.left,
    padRight: padInfo.right,
  }
}

function quadruple(shape: readonly number[]): [number, number, number, number] {
  const [a, b, c, d] = shape
  if (shape.length !== 4 || a === undefined || b === undefined || c === undefined || d === undefined) {
    throw new Error(`expected a tensor of rank 4, got shape [${shape}]`)
  }
  return [a, b, c, d]
}
