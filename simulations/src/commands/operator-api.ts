import { readFile } from 'node:fs/promises'
import { FedweaveError, isErrorCode } from '@fedweave/aggregator'

/** The HTTP API of a server, with or without the operator's key. */
export interface OperatorApi {
  /** Sends `body` as JSON; gives what is answered, undefined where that is nothing. Throws what the server refuses with. */
  call(method: string, path: string, body?: unknown): Promise<unknown>
}

/** From `--url` and `--key-file`. Throws `FL_USAGE`, `FL_KEYSTORE`. */
export async function operatorApi({ url, keyFile }: Record<string, unknown>): Promise<OperatorApi> {
  const base = baseOf(httpUrl(url))
  const headers = typeof keyFile === 'string' ? { authorization: `Bearer ${await readKey(keyFile)}` } : {}
  return {
    async call(method, path, body) {
      const answer = await ask(new URL(path, base), {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return answer.status === 204 ? undefined : answer.json()
    },
  }
}

/** Throws what the server refuses with, `FL_SERVER_UNREACHABLE`, `FL_MESSAGE_MALFORMED`. */
export async function ask(url: URL, request: RequestInit = {}): Promise<Response> {
  let answer: Response
  try {
    answer = await fetch(url, { ...request, redirect: 'error' }) // a key is for this server alone
  } catch (cause) {
    throw new FedweaveError('FL_SERVER_UNREACHABLE', `cannot reach ${url.origin}`, { cause })
  }
  if (answer.ok) return answer
  const { error } = (await answer.json().catch(() => ({}))) as { error?: { code?: string; message?: string; cure?: string } }
  if (error?.code === undefined || !isErrorCode(error.code))
    throw new FedweaveError('FL_SERVER_UNREACHABLE', `${url.href} answers ${answer.status}, which is not Fedweave's way`)
  throw new FedweaveError(
    error.code,
    error.message ?? `status ${answer.status}`,
    error.cure === undefined ? {} : { cure: error.cure },
  )
}

/** What paths of the API are relative to; a server may lie below a path of its proxy. */
export function baseOf(url: URL): URL {
  return new URL(url.pathname.endsWith('/') ? url : `${url.origin}${url.pathname}/`)
}

/** Throws `FL_USAGE`. */
export function httpUrl(raw: unknown): URL {
  const url = URL.canParse(String(raw)) ? new URL(String(raw)) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url
  throw new FedweaveError('FL_USAGE', `expected an http or https URL, got ${JSON.stringify(raw)}`)
}

async function readKey(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    throw new FedweaveError('FL_KEYSTORE', `cannot read the API key ${path}`, {
      cause,
      cure: 'Name the file `operator-api.key` of the data folder of the server, or a copy of it.',
    })
  }
}
