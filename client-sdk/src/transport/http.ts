import { FedweaveError, fromHex, isErrorCode, toHex } from '@fedweave/aggregator'
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
    async enrol({ url, ...body }, signal) {
      const headers = { 'content-type': 'application/json' }
      const desk = url === undefined ? await enrolmentBase(base, signal) : baseUrl(url)
      const response = await request(new URL('v1/enrol', desk), { method: 'POST', headers, body: JSON.stringify(body), signal })
      const { certificate } = (await response.json()) as { certificate?: unknown }
      if (typeof certificate !== 'string')
        throw new FedweaveError('FL_SERVER_FAULT', 'the server answered an enrolment without a certificate')
      return fromHex(certificate)
    },
  }
}

/** Why this server would not let a connection with that token stand; undefined where it would. */
export async function admissionRefusal(base: URL, token: Uint8Array): Promise<FedweaveError | undefined> {
  const headers = { authorization: `Join ${toHex(token)}` }
  const response = await fetch(new URL('v1/admission', base), { headers }).catch(() => undefined)
  return response === undefined || response.ok ? undefined : serverError(response)
}

/** Parses a server's base URL. Throws `FL_USAGE` for one that is not http or https. */
export function baseUrl(raw: string): URL {
  const url = URL.canParse(raw) ? new URL(raw) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new FedweaveError('FL_USAGE', `expected a server's http or https URL, got ${JSON.stringify(raw)}`)
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

/** Where this server says that clients enrol. */
async function enrolmentBase(base: URL, signal: AbortSignal): Promise<URL> {
  const response = await request(new URL('v1/enrolment', base), { signal })
  const { url } = (await response.json()) as { url?: unknown }
  return typeof url === 'string' ? baseUrl(url) : base
}

/** Throws the typed error that the server answers, `FL_SERVER_UNREACHABLE` where none does, `FL_STOPPED` after an abort. */
export async function request(url: URL, init: RequestInit): Promise<Response> {
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
