import { FedweaveError, fromHex, isErrorCode } from '@fedweave/aggregator'
import type { Transport } from './transport.ts'

type BulkPlane = Pick<Transport, 'model' | 'upload' | 'enrol'>

/** The bulk plane over HTTP, relative to the server's base URL. */
export function httpPlane(base: URL): BulkPlane {
  const at = (path: string) => new URL(path, base)
  return {
    async model(task, hash, signal) {
      const response = await request(at(`v1/tasks/${encodeURIComponent(task)}/models/${hash}`), { signal })
      return new Uint8Array(await response.arrayBuffer())
    },
    async upload({ task, context, session, sealed }, signal) {
      await request(at(`v1/tasks/${encodeURIComponent(task)}/updates/${context}`), {
        method: 'PUT',
        headers: { authorization: `Bearer ${session}`, 'content-type': 'application/octet-stream' },
        body: sealed.slice().buffer,
        signal,
      })
    },
    async enrol(body, signal) {
      const headers = { 'content-type': 'application/json' }
      const response = await request(at('v1/enrol'), { method: 'POST', headers, body: JSON.stringify(body), signal })
      const { certificate } = (await response.json()) as { certificate?: unknown }
      if (typeof certificate !== 'string')
        throw new FedweaveError('FL_SERVER_FAULT', 'the server answered an enrolment without a certificate')
      return fromHex(certificate)
    },
  }
}

async function request(url: URL, init: RequestInit): Promise<Response> {
  let response: Response
  try {
    response = await fetch(url, init)
  } catch (cause) {
    if (init.signal?.aborted) throw new FedweaveError('FL_STOPPED', 'the request was given up', { cause })
    throw new FedweaveError('FL_SERVER_UNREACHABLE', `cannot reach ${url.origin}`, { cause })
  }
  if (response.ok) return response
  throw await serverError(response)
}

/** The typed error in the body, or what the status says when something else answered. */
async function serverError(response: Response): Promise<FedweaveError> {
  const body: unknown = await response.json().catch(() => undefined)
  const error = (body as { error?: { code?: unknown; message?: unknown; cure?: unknown } } | undefined)?.error
  if (typeof error?.code !== 'string' || !isErrorCode(error.code)) {
    return new FedweaveError(
      'FL_SERVER_UNREACHABLE',
      `${response.url} answered ${response.status}, and not as a Fedweave server does`,
    )
  }
  const cure = typeof error.cure === 'string' ? { cure: error.cure } : {}
  return new FedweaveError(error.code, String(error.message), cure)
}
