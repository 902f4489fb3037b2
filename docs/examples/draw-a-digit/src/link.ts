/** What the page needs to know of its server; keys in hex. */
export interface Invitation {
  readonly task: string
  readonly operatorKey: string
  readonly enrolmentKey: string
  /** Lets its bearer enrol, where the server asks for that. */
  readonly token?: string
}

export interface Settings extends Invitation {
  /** Where the server keeps parts of MNIST for those who have no drawings yet: how many, and how many examples each has. */
  readonly shards: { readonly count: number; readonly examples: number }
}

const KEY = /^[0-9a-f]{64}$/

/** The server that this page came from. */
export const server = new URL('..', location.href.replace(/[?#].*/, '')).href

/**
 * What the server says of itself, unless the link that brought somebody here says otherwise: keys in an invitation from a friend are
 * worth more than those of the server that they are to be compared with.
 */
export async function readSettings(): Promise<Settings> {
  const response = await fetch('config.json', { cache: 'no-cache' })
  if (!response.ok) throw new Error(`config.json: ${response.status}`)
  return { ...((await response.json()) as Settings), ...invitationIn(location.hash) }
}

export function invitationIn(hash: string): Partial<Invitation> {
  const given = new URLSearchParams(hash.slice(1))
  const read = (name: keyof Invitation, form: RegExp) => {
    const value = given.get(name)
    return value !== null && form.test(value) ? { [name]: value } : {}
  }
  return {
    ...read('task', /^[a-z0-9][a-z0-9_-]{0,63}$/),
    ...read('operatorKey', KEY),
    ...read('enrolmentKey', KEY),
    ...read('token', /^[\w.-]{1,4096}$/),
  }
}

/** A link to this page that carries the keys, in the part that browsers keep to themselves. */
export function invitationLink({ task, operatorKey, enrolmentKey }: Invitation): string {
  const link = new URL(location.href.replace(/[?#].*/, ''))
  link.hash = new URLSearchParams({ task, operatorKey, enrolmentKey }).toString()
  return link.href
}
